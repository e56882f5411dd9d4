//! API keys: made, recognised, rotated and revoked, and nothing kept that could be sent.

use smartpark::{Error, NewKey, Role};

use super::world::{NOW, after, instant, on_every_engine};

fn camera_key(cameras: &[&str], floors: &[i64]) -> NewKey {
    NewKey {
        cameras: cameras.iter().map(ToString::to_string).collect(),
        floors: floors.to_vec(),
        ..NewKey::new("gate", Role::Camera)
    }
}

on_every_engine! {
    async fn a_key_is_known_by_its_secret_and_by_nothing_else(world) {
        let keys = world.park.keys();
        assert!(!keys.are_keys_required().await.unwrap());
        let issued = keys.add_key(NewKey::new("desk", Role::Admin)).await.unwrap();
        assert!(keys.are_keys_required().await.unwrap());
        let key = issued.key;
        assert_eq!((key.name.as_str(), key.role), ("desk", Role::Admin));
        assert_eq!(key.created_at, instant(NOW));
        assert_eq!((key.cameras.len(), key.floors.len(), key.revoked_at), (0, 0, None));
        let secret = issued.secret.expose();
        assert_eq!(keys.find_key(secret).await.unwrap(), Some(key.clone()));
        let last = if secret.ends_with('0') { "1" } else { "0" };
        let near = format!("{}{last}", &secret[..secret.len() - 1]);
        for wrong in ["", "desk", &key.prefix, &near, &secret[1..]] {
            assert_eq!(keys.find_key(wrong).await.unwrap(), None, "{wrong}");
        }
        assert_eq!(keys.get_all_keys().await.unwrap(), [key]);
    }

    async fn what_a_key_is_bound_to_is_kept(world) {
        let (ground, roof) = (world.floor("G", 5).await, world.floor("R", 5).await);
        let new = camera_key(&["cam_1", "é \"2\""], &[roof.id]);
        let issued = world.park.keys().add_key(new.clone()).await.unwrap();
        let found = world.park.keys().find_key(issued.secret.expose()).await.unwrap().unwrap();
        assert_eq!((&found.cameras, &found.floors), (&new.cameras, &new.floors));
        assert!(found.speaks_for_camera("cam_1") && !found.speaks_for_camera("cam_2"));
        assert!(found.speaks_for_floor(roof.id) && !found.speaks_for_floor(ground.id));
        // Whatever stands there that is no list: never all.
        world.execute("UPDATE api_keys SET cameras = '[]'");
        let damaged = world.park.keys().find_key(issued.secret.expose()).await;
        assert!(matches!(damaged, Err(Error::Internal(_))), "{damaged:?}");
    }

    async fn keys_that_do_not_fit_are_refused(world) {
        let roof = world.floor("R", 5).await;
        let viewer = NewKey { role: Role::Viewer, ..camera_key(&["c"], &[roof.id]) };
        let table = [
            (NewKey::new("", Role::Admin), &["name"][..]),
            (NewKey::new("x".repeat(101), Role::Admin), &["name"]),
            (NewKey::new("a\nb", Role::Admin), &["name"]),
            (NewKey::new("sp_12345678", Role::Admin), &["name"]),
            (camera_key(&["c", "", "a\tb"], &[]), &["cameras"]),
            (viewer, &["cameras", "floors"]),
        ];
        let keys = world.park.keys();
        for (new, fields) in table {
            let Err(Error::Invalid(faults)) = keys.add_key(new.clone()).await else {
                panic!("{new:?} was taken");
            };
            let named: Vec<&str> = faults.iter().map(|fault| fault.field.as_ref()).collect();
            assert_eq!(named, fields, "{new:?}");
        }
        let nowhere = keys.add_key(camera_key(&[], &[roof.id + 1])).await;
        assert_eq!(nowhere.unwrap_err(), Error::UnknownFloor);
        assert_eq!(keys.get_all_keys().await.unwrap(), []);
        assert!(!keys.are_keys_required().await.unwrap());
    }

    async fn a_rotated_key_has_a_new_secret_and_keeps_the_rest(world) {
        let keys = world.park.keys();
        let first = keys.add_key(camera_key(&["c"], &[])).await.unwrap();
        world.clock.set(after(9));
        let second = keys.rotate_key("gate").await.unwrap();
        assert_eq!(keys.find_key(first.secret.expose()).await.unwrap(), None);
        let found = keys.find_key(second.secret.expose()).await.unwrap().unwrap();
        assert_eq!(found, second.key);
        assert_ne!(found.prefix, first.key.prefix);
        let kept = smartpark::ApiKey {
            prefix: first.key.prefix.clone(),
            rotated_at: None,
            ..found.clone()
        };
        assert_eq!((kept, found.rotated_at), (first.key.clone(), Some(after(9))));
        // By its prefix, too; the one from before is nobody's.
        let third = keys.rotate_key(&found.prefix).await.unwrap();
        for gone in [&found.prefix, &first.key.prefix, "desk", "a\0b"] {
            let unknown = keys.rotate_key(gone).await.unwrap_err();
            assert_eq!(unknown, Error::NotFound("the key"), "{gone}");
        }
        assert!(keys.find_key(third.secret.expose()).await.unwrap().is_some());
    }

    async fn a_revoked_key_is_worth_nothing_and_stays_on_record(world) {
        let keys = world.park.keys();
        let issued = keys.add_key(camera_key(&[], &[])).await.unwrap();
        let taken = keys.add_key(camera_key(&[], &[])).await.unwrap_err();
        assert_eq!(taken, Error::KeyNameTaken);
        world.clock.set(after(5));
        // Somebody found it on a wall: the key itself names it.
        let revoked = keys.revoke_key(issued.secret.expose()).await.unwrap();
        assert_eq!(revoked.revoked_at, Some(after(5)));
        assert_eq!(keys.find_key(issued.secret.expose()).await.unwrap(), None);
        assert_eq!(keys.revoke_key("gate").await.unwrap_err(), Error::NotFound("the key"));
        // A database that had a key never opens by itself.
        assert!(keys.are_keys_required().await.unwrap());
        let again = keys.add_key(camera_key(&[], &[])).await.unwrap();
        assert_ne!(again.key.id, issued.key.id);
        assert_eq!(keys.get_all_keys().await.unwrap(), [revoked, again.key]);
        // Nor does it where its floors are seeded anew.
        world.park.seed().reset_database_seed().await.unwrap();
        assert!(keys.find_key(again.secret.expose()).await.unwrap().is_some());
    }
}
