//! What the pieces that change events at work have in common: the network, what it
//! heard, the events, how far the record is, and memory used again and again.

use crate::live::{Events, Live};
use crate::moves::Deal;
use crate::network::Network;
use crate::ring::Ring;
use crate::score::{Physics, View};
use crate::search::Scratch;

/// Events at work with all they are weighed by.
pub(crate) struct Work<'a> {
    pub net: &'a Network,
    pub rings: &'a mut [Ring],
    pub physics: &'a Physics,
    pub events: &'a mut Events,
    /// Nothing after this is known yet, s.
    pub horizon: f64,
    pub s: &'a mut Scratch,
    pub deal: &'a mut Deal,
}

impl Work<'_> {
    /// What `me` may take: its own detections and free ones.
    pub(crate) fn view(&self, me: u32) -> View<'_> {
        let Self { net, rings, physics, horizon, .. } = self;
        View { net, rings, physics, horizon: *horizon, me }
    }

    /// Takes in events whose detections are known, and moves each to where they agree.
    pub(crate) fn take_in(&mut self, lives: Vec<Live>) -> Vec<u32> {
        let ids: Vec<u32> =
            lives.into_iter().map(|live| self.events.add(live, self.rings)).collect();
        for id in &ids {
            self.relocate(*id);
        }
        ids
    }

    /// Removes an event; what it had is free.
    pub(crate) fn remove(&mut self, id: u32) {
        self.events.remove(id, self.rings);
    }

    /// True while an event is neither removed nor explained by others.
    pub(crate) fn is_alive(&self, id: u32) -> bool {
        self.events.get(id).alive
    }
}
