//! Floors whose vehicles a person should count.

use super::item;
use crate::{
    AttentionItem, AttentionKind, AttentionLevel, FloorDrift, Result, SmartPark,
    estimate::drift::{Reason, Suggestion},
};

/// So many nights must be known: the interval of a new floor is wide, and that is no news.
const NIGHTS: u32 = 14;

impl SmartPark {
    /// The floors for which a recount is suggested, but those that are `told` already.
    pub(super) async fn suggested_recounts(
        &self,
        told: &[AttentionItem],
    ) -> Result<Vec<AttentionItem>> {
        let survey = self.estimates().get_drift_survey().await?;
        let is_told = |floor: &FloorDrift| {
            let same = |item: &&AttentionItem| item.kind == AttentionKind::EventsAtLimit;
            told.iter().filter(same).any(|item| item.floor_id == Some(floor.floor.id))
        };
        let known = |floor: &&FloorDrift| {
            let seen = floor.drift.evidence;
            (seen.nights >= NIGHTS || seen.recounts > 0) && !is_told(floor)
        };
        let zone = self.time_zone().await;
        let suggested = |floor: &FloorDrift| {
            let suggestion = floor.drift.suggested_recount?;
            let best = zone.to_datetime(suggestion.best_at).strftime("%H:%M").to_string();
            Some(recount(floor, suggestion, &best))
        };
        Ok(survey.iter().filter(known).filter_map(suggested).collect())
    }
}

fn recount(floor: &FloorDrift, suggestion: Suggestion, best: &str) -> AttentionItem {
    let level = match suggestion.reason {
        Reason::CountOutside { .. } => AttentionLevel::Medium,
        Reason::AtLimit { .. } | Reason::Interval { .. } | Reason::Caution(_) => {
            AttentionLevel::Low
        }
    };
    let advice = "Count the vehicles on the floor and enter their number (recount).";
    let (name, drift) = (&floor.floor.name, &floor.drift);
    AttentionItem {
        floor_id: Some(floor.floor.id),
        floor: Some(name.clone()),
        count: Some(floor.count.unsigned_abs()),
        detail: format!(
            "{name}: the count is {}, and the true number may be anything from {} to {}. It is \
             easiest to count at about {best}.",
            floor.count, drift.low, drift.high
        ),
        ..item(AttentionKind::RecountSuggested, level, advice)
    }
}
