//! Floors that forgot their past: what lies before the horizon is one number, and everything
//! after it goes on as if nothing had been forgotten.

use proptest::prelude::*;

use super::story::stories;

proptest! {
    #![proptest_config(super::cases(20_000))]

    #[test]
    fn what_is_forgotten_is_not_missed(story in stories(1..40, 1..=6)) {
        story.happens_on(&mut story.floor());
    }
}
