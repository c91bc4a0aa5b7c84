//! What several measures of one layer share, computed once: votes, masses, conductance, connectivity, communities.

use std::cell::OnceCell;
use std::ops::Deref;

use subspect_linalg::{Measured, Seed};

use crate::components::{Components, components};
use crate::measures::Subject;
use crate::measures::modularity::ClassMass;
use crate::{
    AffinityGraph, Communities, LeidenOptions, Partition, affinity_votes, conductance, connectivity, leiden,
};

/// A subject, and what has been worked out about it so far.
pub(super) struct Workings<'a> {
    subject: Subject<'a>,
    votes: OnceCell<Vec<Option<u32>>>,
    class_mass: OnceCell<ClassMass>,
    conductance: OnceCell<Vec<Measured>>,
    connectivity: OnceCell<Vec<Measured>>,
    components: OnceCell<Components>,
    communities: OnceCell<Option<Communities>>,
}

impl<'a> Deref for Workings<'a> {
    type Target = Subject<'a>;

    fn deref(&self) -> &Subject<'a> {
        &self.subject
    }
}

impl<'a> Workings<'a> {
    pub(super) fn new(subject: Subject<'a>) -> Self {
        Self {
            subject,
            votes: OnceCell::new(),
            class_mass: OnceCell::new(),
            conductance: OnceCell::new(),
            connectivity: OnceCell::new(),
            components: OnceCell::new(),
            communities: OnceCell::new(),
        }
    }

    pub(super) fn graph(&self) -> &'a AffinityGraph {
        self.subject.graph
    }

    /// Votes by `partition`, which is the subject's own; the same goes for the other parts that take it.
    pub(super) fn votes(&self, partition: &Partition) -> &[Option<u32>] {
        self.votes.get_or_init(|| affinity_votes(self.graph(), partition))
    }

    pub(super) fn class_mass(&self, partition: &Partition) -> &ClassMass {
        self.class_mass.get_or_init(|| ClassMass::of(self.graph(), partition))
    }

    pub(super) fn conductance(&self, partition: &Partition) -> &[Measured] {
        self.conductance.get_or_init(|| conductance(self.graph(), partition))
    }

    pub(super) fn connectivity(&self, partition: &Partition) -> &[Measured] {
        self.connectivity.get_or_init(|| connectivity(self.graph(), partition))
    }

    pub(super) fn components(&self) -> &Components {
        self.components.get_or_init(|| components(self.graph()))
    }

    /// The graph's own communities at the subject's resolution; none when that is no resolution. One fixed stream: a
    /// measure is a function of what is measured.
    pub(super) fn communities(&self) -> Option<&Communities> {
        let options = LeidenOptions { resolution: self.subject.resolution, ..LeidenOptions::DEFAULT };
        let found = || leiden(self.graph(), &options, Seed::new(0).axis("communities")).ok();
        self.communities.get_or_init(found).as_ref()
    }
}
