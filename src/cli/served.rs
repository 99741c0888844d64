//! How policies are asked, and servers reached.

use crate::policy::ServerOptions;
use clap::Args;

/// How policies are asked, and servers reached.
#[derive(Clone, Debug, Args)]
pub struct ServedArgs {
    /// Ask with the model's chat template, servers through their chat interface [default:
    /// local models that have a template with it, servers with the prompt as it is]
    #[arg(long, help_heading = "Prompts")]
    pub chat: bool,

    /// Send the prompt as it is
    #[arg(long, help_heading = "Prompts", conflicts_with_all = ["chat", "system"])]
    pub raw: bool,

    /// The system prompt, in the chat template
    #[arg(long, value_name = "TEXT", help_heading = "Prompts")]
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
            chat: self.chat || self.system.is_some(),
            system: self.system.clone(),
            concurrency: self.concurrency,
            top: self.logprobs,
            ..ServerOptions::default()
        }
    }
}
