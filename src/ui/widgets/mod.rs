//! Parts that screens are made of.

pub mod bar;
pub mod frame;
pub mod spark;
