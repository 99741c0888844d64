//! State, actions, update, effects and the key map: no drawing, no terminal, no model.
//!
//! A [`Message`] goes into [`update()`], which changes the one [`State`] and says what is to
//! be done in the world as [`Effect`]s. [`State::refresh`] brings the [`figures`] up to
//! date before a frame; nothing else computes them.

pub mod action;
pub mod bindings;
pub mod branch;
pub mod effect;
pub mod figures;
pub mod key;
pub mod keymap;
pub mod message;
pub mod state;
pub mod study;
#[cfg(test)]
mod tests;
pub mod tour;
mod update;
pub mod weigh;

pub use action::Action;
pub use bindings::Bindings;
pub use effect::Effect;
pub use key::Key;
pub use message::{Message, Target};
pub use state::State;
pub use tour::Tour;
pub use update::update;
