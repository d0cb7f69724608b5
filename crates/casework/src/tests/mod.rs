//! The rules from outside: signed envelopes in, cases out.

mod drama;
mod independent;
mod refusals;
mod requirements;
mod stage;
