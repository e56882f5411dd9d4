//! Cameras that miss vehicles, or count them twice.

use super::item;
use crate::{
    AttentionItem, AttentionKind, AttentionLevel, CameraJudgement, Result, SmartPark,
    estimate::cameras::Verdict,
};

impl SmartPark {
    /// The cameras that err with a probability above 0.9. Cameras of which only one of several errs
    /// are not told here: nobody could do anything about it.
    pub(super) async fn erring_cameras(&self) -> Result<Vec<AttentionItem>> {
        let told = self.estimates().get_camera_survey().await?;
        let floors = self.floors().get_latest_floors().await?;
        let item = |camera: &CameraJudgement| {
            let floor = floors.iter().find(|floor| floor.id == camera.judged.to);
            errs(camera, floor.map(|floor| floor.name.clone()), told.days)
        };
        let named = |camera: &&CameraJudgement| camera.judged.verdict == Verdict::Named;
        Ok(told.cameras.iter().filter(named).map(item).collect())
    }
}

fn errs(camera: &CameraJudgement, floor: Option<String>, days: usize) -> AttentionItem {
    let advice = "Clean the camera, and look at its line and its light. What it counted wrong is \
                  set right by a recount.";
    let judged = &camera.judged;
    AttentionItem {
        floor_id: Some(judged.to),
        floor,
        camera_id: Some(judged.camera_id.clone()),
        detail: format!("{} That follows from {days} nights.", judged.words()),
        ..item(AttentionKind::CameraErrs, AttentionLevel::Medium, advice)
    }
}
