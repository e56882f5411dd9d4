//! Reports: the figures of a period, of the site and of each floor.

use smartpark::{Error, report::ReportPeriod};

use super::world::{NOW, entry, exit, instant, on_every_engine};

fn period(text: &str) -> ReportPeriod {
    ReportPeriod::parse(text).unwrap()
}

on_every_engine! {
    async fn a_report_tells_what_happened_by_site_floor_and_day(world) {
        let (floor, other) = (world.floor("Ground", 2).await, world.floor("Roof", 3).await);
        // On the day before at 08:00:00, 09:00:30 and 10:30:30, and one on the other floor.
        world.record(entry(&floor, "a", -100_800)).await;
        world.record(entry(&floor, "b", -97_170)).await;
        world.record(exit(&floor, "a", -91_770)).await;
        world.record(entry(&other, "c", -100_800)).await;
        world.park.floors().recount(floor.id, 0, "night round", Some("Kim")).await.unwrap();
        world.pass(60);
        let report = world.park.get_report(&period("2026-02")).await.unwrap();
        let told = (report.start, report.end, report.is_complete, report.made_at);
        let now = instant("2026-02-12T12:01:00Z");
        assert_eq!(told, (instant("2026-02-01T00:00:00Z"), now, false, now));
        assert_eq!((report.figures.entries, report.figures.exits), (3, 1));
        assert_eq!((report.figures.highest, report.figures.slots), (3, 5));
        assert_eq!((report.figures.full_minutes, report.before.is_none()), (0, true));
        assert_eq!((report.days.len(), report.days[10].figures.entries), (12, 3));
        // Of the floors: two slots were taken from 09:01 to 10:30.
        let ground = &report.floors[0];
        assert_eq!((ground.floor.as_str(), ground.figures.full_minutes), ("Ground", 89));
        assert!((ground.days[10].figures.mean - 17.5 / 24.0).abs() < 1e-6, "{ground:?}");
        assert_eq!(ground.figures.mean_stay_minutes, None);
        let [counted] = ground.recounts.as_slice() else { panic!("{ground:?}") };
        assert_eq!((counted.vehicles, counted.difference), (0, -1));
        assert_eq!((counted.author.as_deref(), counted.at), (Some("Kim"), instant(NOW)));
        let drift = ground.drift.unwrap();
        assert!(drift.low <= drift.count && drift.count <= drift.high && drift.count == 0);
        assert_eq!((report.floors[1].figures.entries, report.floors[1].recounts.len()), (1, 0));
        // The day before, and the day before that: a whole day, and one in which nothing happened.
        let day = world.park.get_report(&period("2026-02-11")).await.unwrap();
        assert_eq!((day.is_complete, day.figures.entries, day.days.len()), (true, 3, 1));
        assert!(day.before.is_none() && day.floors[0].recounts.is_empty());
        let today = world.park.get_report(&period("2026-02-12")).await.unwrap();
        assert_eq!(today.before.unwrap().figures, day.figures);
        // The same facts make the same report.
        let again = world.another_park().await.get_report(&period("2026-02")).await.unwrap();
        assert_eq!(again, report);
    }

    async fn a_report_is_of_the_days_of_the_site(world) {
        let floor = world.floor("Ground", 2).await;
        // 2026-02-11T23:30Z is after midnight in Berlin.
        world.record(entry(&floor, "a", -45_000)).await;
        let zone = serde_json::json!({"time_zone": "Europe/Berlin"});
        world.park.change_site(zone.as_object().unwrap()).await.unwrap();
        let entries = async |text: &str| {
            let report = world.park.get_report(&period(text)).await.unwrap();
            (report.figures.entries, report.time_zone)
        };
        assert_eq!(entries("2026-02-11").await, (0, "Europe/Berlin".to_owned()));
        assert_eq!(entries("2026-02-12").await, (1, "Europe/Berlin".to_owned()));
        assert_eq!(entries("2026-W07").await.0, 1);
    }

    async fn a_report_has_bounds(world) {
        world.floor("Ground", 2).await;
        let told = async |text: &str| world.park.get_report(&period(text)).await;
        for text in ["2026-03", "2026-02-13", "2025-01-01/2025-04-04"] {
            assert!(matches!(told(text).await, Err(Error::Invalid(_))), "{text}");
        }
        assert!(told("2025-01-01/2025-04-03").await.is_ok());
        world.park.events().cleanup_old_events(10).await.unwrap();
        assert!(matches!(told("2026-01").await, Err(Error::TooOld { .. })));
        assert!(told("2026-02-10").await.is_ok());
    }
}
