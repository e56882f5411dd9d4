//! The command that names what needs a person.

use std::process::ExitCode;

use clap::Args;

use super::{Context, Outcome, output::table};
use crate::{Attention, AttentionItem, http::attention::AttentionView};

/// List what needs a person, the most urgent first, each with what to do
///
/// Floors that are full or nearly full, cameras that fell silent for their time of the week, events
/// that were refused or found their floor full or empty in the last 24 hours
///
/// Example:
///   smartpark attention
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct AttentionArgs {}

pub(super) async fn run(context: &Context) -> Outcome {
    let park = context.connect().await?;
    let attention = park.get_attention().await?;
    context.out.print(&AttentionView::from(attention.clone()), || text(&attention))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn text(attention: &Attention) -> String {
    if attention.items.is_empty() {
        return "Nothing needs a person".to_owned();
    }
    let row = |item: &AttentionItem| {
        let since = item.since.or(item.last).map_or_else(String::new, |at| at.to_string());
        let what = format!("{}\n{}", item.detail, item.advice);
        [item.level.as_str().to_owned(), since, what]
    };
    table(&["Level", "Since or last", "What, and what to do"], attention.items.iter().map(row))
}
