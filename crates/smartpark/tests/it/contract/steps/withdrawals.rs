//! Withdrawals among the random operations.

use smartpark::{ChangeKind, Error, NewWithdrawal, SmartPark, WithdrawalSelection};

use super::{Model, Step};
use crate::contract::{
    history::{Fact, Says},
    world::after,
};

/// Withdraws on both engines; what the model knows of it. Nothing is withdrawn where the model says
/// that nothing is there.
async fn withdraw(
    parks: [&SmartPark; 2],
    selections: [WithdrawalSelection; 2],
    facts: usize,
    number: usize,
) -> Option<[i64; 2]> {
    let mut ids = [0; 2];
    let mut effects = Vec::new();
    for ((park, selection), id) in parks.into_iter().zip(selections).zip(&mut ids) {
        let (reason, key) = ("wrong".to_owned(), format!("{number}"));
        let preview = park.withdrawals().preview(selection.clone()).await.unwrap();
        let new = NewWithdrawal { selection, reason, author: None, key };
        let done = park.withdrawals().withdraw(new).await;
        if facts == 0 {
            assert_eq!(done, Err(Error::NothingToWithdraw));
            continue;
        }
        let done = done.unwrap();
        assert_eq!(done.effect, preview);
        assert_eq!((done.effect.events + done.effect.changes) as usize, facts);
        *id = done.id;
        effects.push(done.effect);
    }
    assert!(effects.windows(2).all(|both| both[0] == both[1]), "{effects:?}");
    (facts > 0).then_some(ids)
}

/// Takes a step that withdraws something, or has it count again.
pub(super) async fn take_back(
    parks: [&SmartPark; 2],
    model: &mut Model,
    step: &Step,
    number: usize,
) {
    let none = WithdrawalSelection::default;
    match step {
        Step::Withdraw(camera, ago, long) => {
            let camera = format!("cam_{camera}");
            let (start, end) = (after(model.now - ago), after(model.now - ago + long));
            let stretch = start.as_microsecond()..end.as_microsecond();
            let who = format!("{camera}\n");
            let taken = model
                .withdraw(|fact| !fact.1 && fact.3.starts_with(&who) && stretch.contains(&fact.5));
            let (camera_id, start, end) = (Some(camera), Some(start), Some(end));
            let selection = WithdrawalSelection { camera_id, start, end, ..none() };
            let ids = withdraw(parks, [selection.clone(), selection], taken.len(), number).await;
            model.withdrawn.extend(ids.map(|ids| (ids, taken)));
        }
        Step::WithdrawRecount(floor) => {
            let id = model.id(*floor);
            let mut selections = [none(), none()];
            for (park, selection) in parks.iter().zip(&mut selections) {
                let changes = park.floors().get_changes(Some(id), None, 1_000).await.unwrap();
                let last = changes.iter().find(|change| change.kind == ChangeKind::Recount);
                selection.changes.extend(last.map(|change| change.id));
            }
            let recounts = |fact: &&Fact| fact.2 == id && matches!(fact.4, Says::Recount(_));
            let last = model.story.facts.iter().filter(recounts).map(|fact| fact.3.clone()).max();
            assert_eq!(last.is_some(), !selections[0].changes.is_empty());
            let Some(last) = last else { return };
            let taken = model.withdraw(|fact| fact.1 && fact.3 == last);
            let ids = withdraw(parks, selections, taken.len(), number).await;
            model.withdrawn.extend(ids.map(|ids| (ids, taken)));
        }
        _ => {
            let Some((ids, facts)) = model.withdrawn.pop() else { return };
            let back = model.restorable(&facts);
            let selections = ids.map(|id| WithdrawalSelection { withdrawal: Some(id), ..none() });
            withdraw(parks, selections, back.len(), number).await;
            for fact in back {
                if !fact.1 {
                    model.events.insert((fact.5, fact.3.clone()), fact.2);
                }
                model.story.facts.push(fact);
            }
        }
    }
}
