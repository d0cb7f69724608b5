//! Words for people, one table per language: likelihood after ICD 203, the
//! Admiralty code. Likelihood and confidence never stand in one sentence, and
//! the number is printed with the word.

use crate::case::Confidence;
use crate::probability::Probability;

/// Languages that have a table.
pub const LANGUAGES: [&str; 4] = ["en", "uk", "ru", "fa"];

/// Upper ends of the seven bands of ICD 203, and the words for them.
const LIKELIHOOD: [(f64, [&str; 4]); 7] = [
    (0.05, ["almost no chance", "майже немає шансів", "почти нет шансов", "تقریباً ناممکن"]),
    (0.20, ["very unlikely", "дуже малоймовірно", "очень маловероятно", "بسیار نامحتمل"]),
    (0.45, ["unlikely", "малоймовірно", "маловероятно", "نامحتمل"]),
    (
        0.55,
        [
            "roughly even chance",
            "приблизно рівні шанси",
            "примерно равные шансы",
            "شانس تقریباً برابر",
        ],
    ),
    (0.80, ["likely", "ймовірно", "вероятно", "محتمل"]),
    (0.95, ["very likely", "дуже ймовірно", "весьма вероятно", "بسیار محتمل"]),
    (1.00, ["almost certain", "майже напевно", "почти наверняка", "تقریباً قطعی"]),
];

/// Reliability of a source, A to F.
const RELIABILITY: [(char, [&str; 4]); 6] = [
    ('A', ["completely reliable", "повністю надійне", "полностью надёжный", "کاملاً قابل اعتماد"]),
    ('B', ["usually reliable", "зазвичай надійне", "обычно надёжный", "معمولاً قابل اعتماد"]),
    ('C', ["fairly reliable", "досить надійне", "довольно надёжный", "نسبتاً قابل اعتماد"]),
    (
        'D',
        ["not usually reliable", "зазвичай ненадійне", "обычно ненадёжный", "معمولاً غیرقابل اعتماد"],
    ),
    ('E', ["unreliable", "ненадійне", "ненадёжный", "غیرقابل اعتماد"]),
    (
        'F',
        [
            "reliability cannot be judged",
            "надійність неможливо оцінити",
            "надёжность нельзя оценить",
            "اعتبار منبع قابل ارزیابی نیست",
        ],
    ),
];

/// Credibility of information, 1 to 6.
const CREDIBILITY: [(char, [&str; 4]); 6] = [
    (
        '1',
        [
            "confirmed by other sources",
            "підтверджено іншими джерелами",
            "подтверждено другими источниками",
            "تأییدشده از منابع دیگر",
        ],
    ),
    ('2', ["probably true", "імовірно правда", "вероятно правда", "احتمالاً درست"]),
    ('3', ["possibly true", "можливо правда", "возможно правда", "شاید درست"]),
    ('4', ["doubtful", "сумнівно", "сомнительно", "مشکوک"]),
    ('5', ["improbable", "неправдоподібно", "неправдоподобно", "نامحتمل"]),
    (
        '6',
        [
            "truth cannot be judged",
            "правдивість неможливо оцінити",
            "правдивость нельзя оценить",
            "درستی قابل ارزیابی نیست",
        ],
    ),
];

const CONFIDENCE: [[&str; 4]; 3] = [
    ["low confidence", "низька впевненість", "низкая уверенность", "اطمینان کم"],
    ["moderate confidence", "помірна впевненість", "умеренная уверенность", "اطمینان متوسط"],
    ["high confidence", "висока впевненість", "высокая уверенность", "اطمینان زیاد"],
];

fn column(language: &str) -> usize {
    LANGUAGES.iter().position(|known| *known == language).unwrap_or(0)
}

/// The word for a probability with the number, never 0 or 100 %.
pub fn likelihood(probability: Probability, language: &str) -> String {
    let p = probability.get();
    let row = LIKELIHOOD.iter().find(|(end, _)| p <= *end).unwrap_or(&LIKELIHOOD[6]);
    let percent = libm::round(p * 100.0).clamp(1.0, 99.0);
    format!("{} ({percent:.0} %)", row.1[column(language)])
}

/// The words for a probability in every language, the number once.
pub fn likelihood_in_all(probability: Probability) -> String {
    let words: Vec<String> = LANGUAGES
        .iter()
        .map(|language| {
            let word = likelihood(probability, language);
            word.rsplit_once(" (").map_or(word.clone(), |(word, _)| word.to_owned())
        })
        .collect();
    let percent = libm::round(probability.get() * 100.0).clamp(1.0, 99.0);
    format!("{} ({percent:.0} %)", words.join(" / "))
}

/// The words for a confidence in every language.
pub fn confidence_in_all(confidence: Confidence) -> String {
    CONFIDENCE[confidence_row(confidence)].join(" / ")
}

/// The words for a confidence.
pub const fn confidence_row(confidence: Confidence) -> usize {
    match confidence {
        Confidence::Low => 0,
        Confidence::Moderate => 1,
        Confidence::High => 2,
    }
}

/// The words for a confidence in a language, English if there is no table.
pub fn confidence(confidence: Confidence, language: &str) -> &'static str {
    CONFIDENCE[confidence_row(confidence)][column(language)]
}

/// The words for a letter or figure of the Admiralty code.
pub fn admiralty(code: char, language: &str) -> Option<&'static str> {
    RELIABILITY
        .iter()
        .chain(&CREDIBILITY)
        .find(|(known, _)| *known == code)
        .map(|(_, words)| words[column(language)])
}

/// Reliability of a source from its adjudicated record: the mean of a Beta
/// posterior under a uniform prior, `F` below five cases (VERIFICATION E2).
pub fn reliability(confirmed: f64, refuted: f64) -> char {
    if confirmed + refuted < 5.0 {
        return 'F';
    }
    match (confirmed + 1.0) / (confirmed + refuted + 2.0) {
        p if p >= 0.95 => 'A',
        p if p >= 0.80 => 'B',
        p if p >= 0.60 => 'C',
        p if p >= 0.40 => 'D',
        _ => 'E',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_those_of_icd_203() {
        let word = |p: f64| likelihood(Probability::new(p), "en");
        assert_eq!(word(0.0), "almost no chance (1 %)");
        assert_eq!(word(0.20), "very unlikely (20 %)");
        assert_eq!(word(0.5), "roughly even chance (50 %)");
        assert_eq!(word(0.79), "likely (79 %)");
        assert_eq!(word(0.95), "very likely (95 %)");
        assert_eq!(word(1.0), "almost certain (99 %)");
    }

    #[test]
    fn every_language_has_its_own_words() {
        for (_, words) in LIKELIHOOD {
            let different: std::collections::BTreeSet<&str> = words.into_iter().collect();
            assert_eq!(different.len(), 4, "{words:?}");
        }
        assert_eq!(likelihood(Probability::new(0.7), "fa"), "محتمل (70 %)");
        assert_eq!(confidence(Confidence::High, "uk"), "висока впевненість");
        assert_eq!(admiralty('1', "ru"), Some("подтверждено другими источниками"));
        assert_eq!(admiralty('7', "en"), None);
    }

    #[test]
    fn all_languages_stand_side_by_side_with_one_number() {
        let told = likelihood_in_all(Probability::new(0.9));
        assert_eq!(told, "very likely / дуже ймовірно / весьма вероятно / بسیار محتمل (90 %)");
    }

    #[test]
    fn reliability_comes_from_the_record() {
        assert_eq!(reliability(3.0, 0.0), 'F');
        assert_eq!(reliability(40.0, 1.0), 'A');
        assert_eq!(reliability(1.0, 20.0), 'E');
    }
}
