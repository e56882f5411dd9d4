//! The detector of `scripts/model`, run by `rten`, a runtime in Rust alone.

use std::path::Path;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use sha2::{Digest, Sha256};

use super::ssd::{ANCHORS, Anchor, CLASSES, SIDE, anchors, decode};
use super::{Detection, Detector, MODEL_SHA256};
use crate::error::{Error, Result};

/// A detector's file in memory. Clones share it, so eight cameras need it once.
#[derive(Clone)]
pub struct DetectorFile {
    inner: Arc<Inner>,
}

struct Inner {
    model: Model,
    input: NodeId,
    outputs: [NodeId; 2],
    anchors: Vec<Anchor>,
    /// Each camera has a thread already.
    pool: Arc<ThreadPool>,
}

impl std::fmt::Debug for DetectorFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DetectorFile").finish_non_exhaustive()
    }
}

fn failed(what: impl std::fmt::Display) -> Error {
    Error::Detector(what.to_string())
}

impl DetectorFile {
    /// Reads the file that `scripts/model` makes.
    ///
    /// # Errors
    /// [`Error::Options`] if it cannot be read or is another file.
    pub fn open(path: &Path) -> Result<DetectorFile> {
        let shown = path.display();
        let bytes = std::fs::read(path)
            .map_err(|cause| Error::Options(format!("cannot read the model {shown}: {cause}")))?;
        // Before the bytes are parsed.
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if digest != MODEL_SHA256 {
            return Err(Error::Options(format!(
                "{shown} is not the model that this version knows: its sha256 is {digest}, not \
                 {MODEL_SHA256}; make the file with scripts/model"
            )));
        }
        let model = Model::load(bytes).map_err(failed)?;
        let id = |name: &str| model.node_id(name).map_err(failed);
        let (input, outputs) = (id("input")?, [id("boxes")?, id("classes")?]);
        let pool = Arc::new(ThreadPool::with_num_threads(1));
        let inner = Inner { model, input, outputs, anchors: anchors(), pool };
        Ok(DetectorFile { inner: Arc::new(inner) })
    }

    /// A detector for one line.
    #[must_use]
    pub fn detector(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }

    /// What the model says of a picture: 4 numbers of a box and one number a class, an anchor each.
    ///
    /// # Errors
    /// [`Error::Detector`] if the picture has another size.
    pub fn run(&self, rgb: &[u8]) -> Result<(Vec<f32>, Vec<f32>)> {
        let input: Vec<f32> = rgb.iter().map(|&byte| f32::from(byte) / 127.5 - 1.0).collect();
        if input.len() != SIDE * SIDE * 3 {
            return Err(failed(format!("the picture must have {SIDE} x {SIDE} pixels")));
        }
        let input = NdTensor::from_data([1, SIDE, SIDE, 3], input);
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&self.inner.pool));
        let inputs = vec![(self.inner.input, input.view().into())];
        let [boxes, classes] =
            self.inner.model.run_n(inputs, self.inner.outputs, Some(options)).map_err(failed)?;
        let boxes: NdTensor<f32, 3> = boxes.try_into().map_err(failed)?;
        let classes: NdTensor<f32, 3> = classes.try_into().map_err(failed)?;
        if boxes.shape() != [1, ANCHORS, 4] || classes.shape() != [1, ANCHORS, CLASSES] {
            return Err(failed("the model gave numbers of another shape"));
        }
        Ok((boxes.to_vec(), classes.to_vec()))
    }
}

impl Detector for DetectorFile {
    fn side(&self) -> usize {
        SIDE
    }

    fn detect(&mut self, rgb: &[u8], _width: usize, _height: usize) -> Result<Vec<Detection>> {
        let (boxes, classes) = self.run(rgb)?;
        Ok(decode(&self.inner.anchors, &boxes, &classes))
    }
}
