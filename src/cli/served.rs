//! How servers are asked.

use crate::policy::ServerOptions;
use clap::Args;

/// How servers are asked.
#[derive(Clone, Debug, Args)]
pub struct ServedArgs {
    /// Ask servers through their chat interface, with the model's own template [default: the
    /// prompt as it is]
    #[arg(long, help_heading = "Servers")]
    pub chat: bool,

    /// The system prompt, with --chat
    #[arg(long, value_name = "TEXT", requires = "chat", help_heading = "Servers")]
    pub system: Option<String>,

    /// Requests in flight at each served policy
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = super::positive, help_heading = "Servers")]
    pub concurrency: usize,

    /// The most likely tokens that a server is asked for at each place: they bound the entropy
    #[arg(long, value_name = "K", default_value_t = 20, help_heading = "Servers")]
    pub logprobs: usize,
}

impl ServedArgs {
    /// As the policies take them.
    pub fn options(&self) -> ServerOptions {
        ServerOptions {
            chat: self.chat,
            system: self.system.clone(),
            concurrency: self.concurrency,
            top: self.logprobs,
            ..ServerOptions::default()
        }
    }
}
