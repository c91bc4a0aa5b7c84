//! Adds operators one by one and keeps their shapes.

use super::{Architecture, ArchitectureOptions, Node, Op};
use crate::NetsError;

/// Position of a node.
pub(super) type At = usize;

/// A network that is being put together.
pub(super) struct Builder {
    name: String,
    options: ArchitectureOptions,
    nodes: Vec<Node>,
    taps: Vec<String>,
    problem: Option<String>,
}

impl Builder {
    /// Begins with the input.
    pub(super) fn new(name: &str, options: &ArchitectureOptions) -> Self {
        let input = options.input;
        let node = Node {
            name: "images".to_owned(),
            op: Op::Input,
            inputs: Vec::new(),
            shape: vec![input.channels, input.height, input.width],
        };
        Self {
            name: name.to_owned(),
            options: options.clone(),
            nodes: vec![node],
            taps: Vec::new(),
            problem: None,
        }
    }

    /// The pictures.
    pub(super) const INPUT: At = 0;

    /// `n` channels, times the width, at least one.
    pub(super) fn scaled(&self, n: usize) -> usize {
        ((n as f64 * self.options.width).round() as usize).max(1)
    }

    pub(super) fn add(&mut self, name: &str, op: Op, inputs: &[At]) -> At {
        let shapes: Vec<&[usize]> = inputs.iter().map(|&i| self.nodes[i].shape.as_slice()).collect();
        let shape = op.output_shape(&shapes).unwrap_or_else(|reason| {
            // The first problem is the one to mend; those behind it follow from it.
            self.problem.get_or_insert(format!("{name}: {reason}"));
            vec![0; 3]
        });
        self.nodes.push(Node { name: name.to_owned(), op, inputs: inputs.to_vec(), shape });
        self.nodes.len() - 1
    }

    /// A square convolution without bias that keeps the size up to its stride.
    pub(super) fn conv(
        &mut self,
        name: &str,
        x: At,
        out_channels: usize,
        kernel: usize,
        stride: usize,
    ) -> At {
        let in_channels = self.channels(x);
        let padding = kernel / 2;
        self.add(name, Op::Conv { in_channels, out_channels, kernel, stride, padding, bias: false }, &[x])
    }

    /// A square convolution with bias that keeps the size.
    pub(super) fn conv_bias(&mut self, name: &str, x: At, out_channels: usize, kernel: usize) -> At {
        let (in_channels, padding) = (self.channels(x), kernel / 2);
        let op = Op::Conv { in_channels, out_channels, kernel, stride: 1, padding, bias: true };
        self.add(name, op, &[x])
    }

    pub(super) fn batch_norm(&mut self, name: &str, x: At) -> At {
        self.add(name, Op::BatchNorm { n_features: self.channels(x) }, &[x])
    }

    pub(super) fn relu(&mut self, name: &str, x: At) -> At {
        self.add(name, Op::Relu, &[x])
    }

    pub(super) fn linear(&mut self, name: &str, x: At, out_features: usize) -> At {
        let in_features = self.channels(x);
        self.add(name, Op::Linear { in_features, out_features }, &[x])
    }

    /// Mean over all places, and the class scores.
    pub(super) fn head(&mut self, x: At, linear: &str) {
        let pooled = self.add("avgpool", Op::GlobalAvgPool, &[x]);
        self.tap(pooled);
        let flat = self.add("flatten", Op::Flatten, &[pooled]);
        self.classify(linear, flat);
    }

    /// The class scores.
    pub(super) fn classify(&mut self, name: &str, x: At) {
        let logits = self.linear(name, x, self.options.n_classes);
        self.tap(logits);
    }

    /// Names a value that tells the network's course.
    pub(super) fn tap(&mut self, x: At) {
        self.taps.push(self.nodes[x].name.clone());
    }

    /// Names the block that ends in `x`, by its module.
    pub(super) fn tap_block(&mut self, x: At) {
        let name = &self.nodes[x].name;
        self.taps.push(name.rsplit_once('.').map_or(name.as_str(), |(module, _)| module).to_owned());
    }

    /// Channels of a picture, or values of a row.
    pub(super) fn channels(&self, x: At) -> usize {
        self.nodes[x].shape.first().copied().unwrap_or(0)
    }

    /// Rows or columns, whichever are fewer.
    pub(super) fn side(&self, x: At) -> usize {
        self.nodes[x].shape.iter().skip(1).copied().min().unwrap_or(1)
    }

    /// The network.
    ///
    /// # Errors
    /// [`NetsError::BadArchitecture`] with the first operator that its input does not fit.
    pub(super) fn finish(self) -> Result<Architecture, NetsError> {
        if let Some(reason) = self.problem {
            return Err(NetsError::BadArchitecture { name: self.name, reason });
        }
        Ok(Architecture {
            name: self.name,
            input: self.options.input,
            n_classes: self.options.n_classes,
            nodes: self.nodes,
            taps: self.taps,
        })
    }
}
