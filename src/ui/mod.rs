//! State to cells. Pure: no file, no socket, no clock, no thread.

pub mod canvas;
pub mod chart;
pub mod text;
pub mod theme;
pub mod widgets;
