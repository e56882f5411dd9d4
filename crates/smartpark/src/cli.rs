//! The command line: reads the arguments, runs one command, says how it went.
//!
//! Invariants: results go to standard output, all else to standard error; the process ends with
//! 0, with 1 where the command failed, with 2 where it was used wrongly. A reader that goes away
//! (`| head`) is no failure.

mod attention;
mod backup;
mod cameras;
mod changes;
mod check;
mod cleanup;
mod clock;
mod config_check;
mod copy;
mod database;
mod demo;
mod drift;
mod events;
mod export;
mod feeds;
mod floors;
mod forecast;
mod history;
mod import;
mod input;
mod keys;
mod memory;
mod output;
mod remote;
mod report;
mod restore;
mod retention;
mod serve;
mod signals;
mod simulate;
mod sites;
mod trial;
mod truth;
mod version;
mod vision;
mod webhooks;
mod window;
mod withdraw;
mod words;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};
use jiff::tz::TimeZone;

use crate::{
    BackupPlan, CameraLine, Options, SiteRecord, SmartPark,
    config::{ConfigError, ConfigFile, DEFAULT_FILE, Layer, LogFormat, LogLevel, Settings, Span},
    logging,
};
#[cfg(fuzzing)]
pub use import::fuzzing;
use output::Out;
use smartpark_formats::config::Connections;

/// How a command went: the code that the process ends with, or why it could not be done.
type Outcome = anyhow::Result<ExitCode>;

/// The command line was used wrongly.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

const AFTER_HELP: &str = "\
Settings come from flags, then from SMARTPARK_* in the environment (SMARTPARK_DATABASE,
SMARTPARK_LISTEN, ...), then from smartpark.toml in the working directory, then from defaults.

Begin with:
  smartpark serve                                   a server with sample data
  smartpark floors                                  how full each floor is
  smartpark import events.csv.gz                    history from a file
  smartpark help COMMAND                            what a command does, with an example";

/// Counts every car once: exact occupancy of car parks from unreliable camera events
#[derive(Debug, Parser)]
#[command(name = "smartpark", version, after_help = AFTER_HELP, subcommand_required = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = false, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
struct Global {
    /// The database: a file, or a URL of PostgreSQL [env: SMARTPARK_DATABASE]
    /// [default: sqlite://smartpark.db]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// The file with settings [env: SMARTPARK_CONFIG] [default: smartpark.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
    /// How much to log on standard error [env: SMARTPARK_LOG_LEVEL] [default: warn; serve: info]
    #[arg(long, global = true, value_name = "LEVEL", hide_possible_values = true)]
    log_level: Option<LogLevel>,
    /// In what form to log: text or json [env: SMARTPARK_LOG_FORMAT] [default: text]
    #[arg(long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    log_format: Option<LogFormat>,
}

/// What commands that record events take.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
struct Counting {
    /// How far ahead of the clock an event's timestamp may lie [env: SMARTPARK_MAX_CLOCK_SKEW]
    /// [default: 5min]
    #[arg(long, value_name = "TIME")]
    max_clock_skew: Option<Span>,
    /// Within what time a second event without timestamp, of the same camera, track and
    /// direction, is a repeat [env: SMARTPARK_DEDUP_WINDOW] [default: 5s]
    #[arg(long, value_name = "TIME")]
    dedup_window: Option<Span>,
}

#[derive(Debug, Subcommand)]
enum Command {
    // A first guess of many people.
    #[command(aliases = ["start", "run"])]
    Serve(serve::Args),
    Migrate(database::MigrateArgs),
    Seed(database::SeedArgs),
    Reset(database::ResetArgs),
    Info(database::InfoArgs),
    Floors(floors::Args),
    Recommend(floors::RecommendArgs),
    Record(events::RecordArgs),
    Events(events::EventsArgs),
    Stats(events::StatsArgs),
    History(history::HistoryArgs),
    Report(report::ReportArgs),
    Forecast(forecast::ForecastArgs),
    Drift(drift::DriftArgs),
    Cameras(cameras::Args),
    Attention(attention::AttentionArgs),
    Cleanup(cleanup::CleanupArgs),
    Import(import::Args),
    Missing(import::missing::Args),
    Export(export::Args),
    Copy(copy::Args),
    Simulate(simulate::Args),
    Replay(import::replay::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Check(check::Args),
    Changes(changes::ChangesArgs),
    Withdraw(withdraw::WithdrawArgs),
    Clock(clock::Args),
    Key(keys::Args),
    Sites(sites::Args),
    Vision(vision::Args),
    Demo(demo::Args),
    Input(trial::Args),
    Feeds(feeds::Args),
    #[command(visible_alias = "webhook")]
    Webhooks(webhooks::Args),
    Config(config_check::Args),
    Completions(CompletionsArgs),
    Version(version::Args),
}

/// Print a completion script for a shell
///
/// Example:
///   smartpark completions bash > /etc/bash_completion.d/smartpark
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// What every command works with.
struct Context {
    settings: Settings,
    /// What the flags say, for a server that reads the file again.
    flags: Layer,
    /// The configuration file that is named.
    config: Option<PathBuf>,
    out: Out,
}

impl Context {
    /// The database as it is; never creates one.
    async fn connect(&self) -> crate::Result<SmartPark> {
        SmartPark::connect(&self.settings.database, self.options()).await
    }

    /// The database, created where there is none. As long as nobody has set the site, it is what
    /// the table `[site]` of the configuration file says.
    async fn create(&self) -> anyhow::Result<SmartPark> {
        let park = SmartPark::open_with(&self.settings.database, self.options()).await?;
        if park.site().await? == SiteRecord::default()
            && let Some(file) = ConfigFile::read(self.config.as_deref())?
            && let Some(site) = file.site()?
        {
            park.change_site(&site).await?;
        }
        Ok(park)
    }

    /// What estimates take from the configuration file: the time zone of the table `[site]` (UTC if
    /// there is none), and where cameras are.
    fn for_estimates(&self) -> (TimeZone, Vec<CameraLine>) {
        let nothing = || (TimeZone::UTC, Vec::new());
        let file = ConfigFile::read(self.config.as_deref()).ok().flatten();
        let Some(file) = file else { return nothing() };
        let Ok(tables) = file.connections() else {
            let file = file.path.display();
            tracing::warn!(
                "estimates use UTC: `smartpark config check` tells the faults of {file}"
            );
            return nothing();
        };
        let lines = tables.cameras.iter().map(cameras::line).collect();
        (tables.site.map_or(TimeZone::UTC, |site| site.time_zone), lines)
    }

    /// A path that stands in the configuration file: one that is not absolute begins at the folder
    /// of that file.
    fn beside_config(&self, path: &str) -> PathBuf {
        let file = self.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The backups that the table `[backup]` asks for.
    fn backups(&self) -> Option<BackupPlan> {
        let backup = self.connections().ok().flatten()?.backup?;
        let folder = self.beside_config(&backup.folder);
        Some(BackupPlan { folder, every: backup.every, keep: backup.keep })
    }

    /// The tables of the configuration file; `None` without a file.
    fn connections(&self) -> anyhow::Result<Option<Connections>> {
        let Some(file) = ConfigFile::read(self.config.as_deref())? else { return Ok(None) };
        let connections = file.connections();
        let connections = connections.map_err(|faults| {
            let text = config_check::listed(&file.path, &faults);
            Usage(format!("the configuration does not fit:\n{text}"))
        })?;
        Ok(Some(connections))
    }

    fn options(&self) -> Options {
        let (time_zone, camera_lines) = self.for_estimates();
        Options {
            max_clock_skew: self.settings.max_clock_skew,
            dedup_window: self.settings.dedup_window,
            retention_days: self.settings.retention_days,
            time_zone,
            camera_lines,
            backups: self.backups(),
            ..Options::default()
        }
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    memory::take_small_pages();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help is one of these, too. Where nobody reads it there is nothing left to do.
            let _ = told.print();
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
        }
    };
    run(cli).unwrap_or_else(|fault| complain(&fault))
}

fn run(cli: Cli) -> Outcome {
    if let Command::Completions(args) = cli.command {
        return completions(args.shell);
    }
    let out = Out { json: cli.global.json };
    if let Command::Version(_) = cli.command {
        return version::run(&out);
    }
    let config = named_file(&cli);
    // Before the settings: a fault of the file is what this command looks for.
    if let Command::Config(args) = &cli.command {
        return config_check::run(args, config, &out);
    }
    let flags = flags(&cli);
    let settings = settings(flags.clone(), config.as_deref())?;
    let serves = matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    let watches = matches!(&cli.command, Command::Vision(args) if args.watches());
    let quiet = if serves || watches { LogLevel::Info } else { LogLevel::Warn };
    logging::start(settings.log_level.unwrap_or(quiet), settings.log_format);
    let mut runtime = if serves {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let context = Context { settings, flags, config, out };
    let runtime = runtime.enable_all().build()?;
    let outcome = runtime.block_on(command(cli.command, &context));
    // A thread that waits for standard input would hold a plain drop up for ever.
    runtime.shutdown_background();
    outcome
}

async fn command(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Serve(_) => serve::run(context).await,
        Command::Migrate(_) => database::migrate(context).await,
        Command::Seed(args) => database::seed(args, context).await,
        Command::Reset(args) => database::reset(args, context).await,
        Command::Info(_) => database::info(context).await,
        Command::Floors(args) => floors::run(args, context).await,
        Command::Recommend(args) => floors::recommend(args, context).await,
        Command::Record(args) => events::record(args, context).await,
        Command::Events(args) => events::list(args, context).await,
        Command::Stats(args) => events::stats(args, context).await,
        Command::History(args) => history::run(args, context).await,
        Command::Report(args) => report::run(args, context).await,
        Command::Forecast(args) => forecast::run(args, context).await,
        Command::Drift(args) => drift::run(args, context).await,
        Command::Cameras(args) => cameras::run(args, context).await,
        Command::Attention(_) => attention::run(context).await,
        Command::Cleanup(args) => cleanup::run(args, context).await,
        Command::Import(args) => import::run(args, context).await,
        Command::Missing(args) => import::missing::run(args, context).await,
        Command::Export(args) => export::run(args, context).await,
        Command::Simulate(args) => simulate::run(args, context).await,
        Command::Replay(args) => import::replay::run(args, context).await,
        Command::Copy(args) => copy::run(args, context).await,
        Command::Backup(args) => backup::run(args, context).await,
        Command::Restore(args) => restore::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::Changes(args) => changes::run(args, context).await,
        Command::Withdraw(args) => withdraw::run(args, context).await,
        Command::Clock(args) => clock::run(args, context).await,
        Command::Key(args) => keys::run(args, context).await,
        Command::Vision(args) => vision::run(args, context).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Sites(args) => sites::run(args, context).await,
        Command::Input(args) => trial::run(args, context).await,
        Command::Feeds(args) => feeds::run(args, context).await,
        Command::Webhooks(args) => webhooks::run(args, context).await,
        Command::Config(args) => config_check::run(&args, context.config.clone(), &context.out),
        Command::Completions(args) => completions(args.shell),
        Command::Version(_) => version::run(&context.out),
    }
}

/// What the flags say.
fn flags(cli: &Cli) -> Layer {
    let mut flags = Layer {
        database: cli.global.database.clone(),
        log_level: cli.global.log_level,
        log_format: cli.global.log_format,
        ..Layer::default()
    };
    let counting = match &cli.command {
        Command::Serve(args) => {
            args.fill(&mut flags);
            args.counting
        }
        Command::Record(args) => args.counting,
        Command::Import(args) => {
            Counting { max_clock_skew: args.max_clock_skew, ..Counting::default() }
        }
        _ => Counting::default(),
    };
    flags.max_clock_skew = counting.max_clock_skew;
    flags.dedup_window = counting.dedup_window;
    flags
}

/// Flags over environment over file over defaults.
fn settings(flags: Layer, named: Option<&Path>) -> Result<Settings, ConfigError> {
    let variable = |name: &str| std::env::var(name).ok();
    let file = Layer::from_file(named)?;
    let below = Layer::from_env(variable)?.over(file);
    Ok(Settings::from_layer(flags.over(below)))
}

/// The configuration file that a flag or the environment names.
fn named_file(cli: &Cli) -> Option<PathBuf> {
    let named = std::env::var("SMARTPARK_CONFIG").ok().filter(|path| !path.is_empty());
    cli.global.config.clone().or(named.map(PathBuf::from))
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "smartpark", &mut script);
    output::write(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error why a command could not be done; the exit code tells whether the
/// command line, the settings or an argument's value was at fault.
fn complain(fault: &anyhow::Error) -> ExitCode {
    let reader_gone = |cause: &(dyn std::error::Error + 'static)| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    };
    if fault.chain().any(reader_gone) {
        return ExitCode::SUCCESS;
    }
    output::note(&format!("error: {fault:#}"));
    let misused = fault.is::<Usage>()
        || fault.is::<ConfigError>()
        || matches!(fault.downcast_ref(), Some(crate::Error::Invalid(_)));
    ExitCode::from(if misused { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_with_an_example() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli.get_subcommands().filter(|it| it.get_name() != "help") {
            let long = command.get_long_about().map(ToString::to_string);
            let long = long.unwrap_or_default();
            assert!(long.contains("Example"), "{} has no example", command.get_name());
        }
    }
}
