//! Conditions, bounds and numbers in words.

use crate::condition::Condition;
use crate::provision::Bound;

/// A condition in words.
pub fn condition(condition: &Condition) -> String {
    let joined = |parts: &[Condition], word: &str| {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Condition::All(_) | Condition::Any(_) => format!("({})", self::condition(part)),
                _ => self::condition(part),
            })
            .collect();
        parts.join(word)
    };
    match condition {
        Condition::All(parts) if parts.is_empty() => "always".to_owned(),
        Condition::Any(parts) if parts.is_empty() => "never".to_owned(),
        Condition::All(parts) => joined(parts, " and "),
        Condition::Any(parts) => joined(parts, " or "),
        Condition::Not(part) => format!("not ({})", self::condition(part)),
        Condition::Event(event) => format!("\u{201c}{event}\u{201d} has taken place"),
        Condition::Elapsed(elapsed) => {
            format!("{} have passed since \u{201c}{}\u{201d}", elapsed.span, elapsed.event)
        }
        Condition::Named(id) => format!("condition {id}"),
        Condition::Breach(breach) => breach.in_words(),
        Condition::Undefined(because) => format!("(not defined: {because})"),
    }
}

/// An end of a time in force, in words.
pub fn bound(bound: &Bound) -> String {
    match bound {
        Bound::Open => "no end stated".to_owned(),
        Bound::At(at) => at.to_string(),
        Bound::Event { event, after: None } => format!("\u{201c}{event}\u{201d}"),
        Bound::Event { event, after: Some(after) } => {
            format!("{after} after \u{201c}{event}\u{201d}")
        }
    }
}

/// A number with thousands apart.
pub fn number(value: f64) -> String {
    if value.fract() != 0.0 || value.abs() >= 1e15 {
        return value.to_string();
    }
    let digits = format!("{}", value.abs() as u64);
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}
