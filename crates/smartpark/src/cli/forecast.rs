//! The command that shows a forecast.

use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;

use super::{Context, Outcome, floors::find, output::table};
use crate::{
    Timestamp,
    estimate::forecast::{Forecast, Step},
    http::forecast::ForecastView,
    limits::{DEFAULT_FORECAST_HOURS, MAX_FORECAST_HOURS, MAX_FORECAST_STEP, MIN_FORECAST_STEP},
};

/// Show how many vehicles there will be: on a floor, or on all active floors together
///
/// Each step tells the expected number, the 95 % interval, the free slots and the probability that
/// one is free. Below stands how far such forecasts were off in the past 28 days. A forecast needs
/// 14 days of history
///
/// Examples:
///   smartpark forecast --floor "Ground Floor"
///   smartpark forecast --hours 168 --step 86400 --json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ForecastArgs {
    /// Only this floor (id or name)
    #[arg(long)]
    floor: Option<String>,
    /// How many hours ahead
    #[arg(long, value_name = "N", default_value_t = DEFAULT_FORECAST_HOURS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_FORECAST_HOURS)))]
    hours: u32,
    /// How long a step is, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    #[arg(value_parser = clap::value_parser!(u32)
        .range(i64::from(MIN_FORECAST_STEP)..=i64::from(MAX_FORECAST_STEP)))]
    step: u32,
}

pub(super) async fn run(args: ForecastArgs, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let zone = park.time_zone().await;
    let estimates = park.estimates();
    if let Some(named) = &args.floor {
        let floor = find(&park, named).await?;
        let told = estimates.get_forecast(floor.id, args.hours, args.step).await?;
        context.out.print(&ForecastView::from(told.clone()), || text(&told.forecast, &zone))?;
    } else {
        let told = estimates.get_site_forecast(args.hours, args.step).await?;
        context.out.print(&ForecastView::from(told.clone()), || text(&told.forecast, &zone))?;
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn text(forecast: &Forecast, zone: &TimeZone) -> String {
    if !forecast.ready {
        return format!(
            "There is no forecast yet: it needs 14 days of history, and there are {}",
            forecast.history_days
        );
    }
    let local = |at: Timestamp| zone.to_datetime(at).strftime("%a %d %b %H:%M").to_string();
    let row = |step: &Step| {
        [
            local(step.at),
            format!("{:.0}", step.vehicles),
            step.low.to_string(),
            step.high.to_string(),
            format!("{:.0}", step.available),
            step.p_free.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0)),
        ]
    };
    let titles = ["At", ">Vehicles", ">At least", ">At most", ">Free", ">A slot is free"];
    let mut told = table(&titles, forecast.steps.iter().map(row));
    if let Some(at) = forecast.will_be_full_at {
        told += &format!("\nIt will probably be full at {}", local(at));
    } else if let Some(at) = forecast.may_be_full_at {
        told += &format!("\nIt may be full at {}", local(at));
    }
    for past in &forecast.past_error {
        told += &format!(
            "\n{} ahead: off by {:.1} vehicles on average in the past 28 days",
            ahead(past.minutes),
            past.vehicles
        );
    }
    told
}

fn ahead(minutes: i64) -> String {
    match minutes {
        1440 => "1 day".to_owned(),
        days if days > 1440 => format!("{} days", days / 1440),
        hours if hours >= 60 => format!("{} h", hours / 60),
        _ => format!("{minutes} min"),
    }
}
