//! Grouping: the traps of real reports, and what must not matter.

use domain::source::EffortBasis;
use domain::{
    Class, ControlHistory, ControlState, Covariance, Extent, Id, Incident, LatLon, Measures,
    Observation, RecordPosition, Signature, Source, SourceKind, Value, When, Where, Zone,
};
use fusion::lexicon::{LEXICONS, Lexicon};
use fusion::{
    Climatology, Grouped, LandUse, Places, Recorded, Reference, Rules, SetAside, Sighting, Verdict,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::new(lat, lon).unwrap()
}

fn settlement(
    name: &str,
    alias: &str,
    lat: f64,
    lon: f64,
    population: f64,
) -> domain::gazetteer::Settlement {
    domain::gazetteer::Settlement {
        code: name.into(),
        name: name.into(),
        aliases: vec![alias.into()],
        at: at(lat, lon),
        population,
    }
}

fn reference(climatology: Climatology) -> Reference {
    let settlements = vec![
        settlement("Kherson", "Херсон", 46.65, 32.6, 280_000.0),
        settlement("Kostiantynivka", "Костянтинівка", 48.53, 37.7, 70_000.0),
        settlement("Donetsk", "Донецьк", 48.02, 37.8, 900_000.0),
    ];
    let ring = vec![at(47.0, 37.0), at(47.0, 39.0), at(48.3, 39.0), at(48.3, 37.0), at(47.0, 37.0)];
    let names = ("non-government-controlled".to_owned(), "government-controlled".to_owned());
    let state =
        ControlState::new(Timestamp::UNIX_EPOCH, 3.0, names, &[vec![ring]], 500.0, |_| true);
    let lexicon = Lexicon::parse(&strict::Text::new("ukraine", LEXICONS[0].1)).unwrap();
    Reference {
        places: Places::new(settlements, vec![], vec![], &[], Some(lexicon)),
        control: ControlHistory::new(vec![state]),
        climatology,
        land_use: LandUse::new(),
        priors: fusion::Priors::current(vec![]),
    }
}

fn source(kind: SourceKind) -> Source {
    Source {
        id: format!("{kind:?}").to_lowercase(),
        name: String::new(),
        operator: String::new(),
        independence_group: format!("{kind:?}").to_lowercase(),
        kind,
        model: "1".into(),
        effort: EffortBasis::Rows,
        citation: String::new(),
        licence: String::new(),
        night: None,
        reliability: None,
    }
}

fn recorded(kind: SourceKind, entry: u64, observation: Observation) -> Recorded {
    let line = observation.to_line();
    let id = Observation::id(&source(kind).id, &line);
    Recorded { id, at: RecordPosition { entry, line: 0 }, observation }
}

fn headline(when: When, name: &str, point: LatLon, text: &str) -> Observation {
    Observation {
        when,
        delay_s: 0.0,
        available: None,
        place: Where::Named { name: name.into(), at: Some(point), radius_m: 0.0 },
        signature: Signature::Unspecified,
        classes: vec![],
        count: None,
        measures: Measures::default(),
        text: Some(text.into()),
    }
}

fn day(text: &str) -> When {
    When::Day { date: text.parse().unwrap(), zone: Zone::named("Europe/Kyiv").unwrap() }
}

fn moment(text: &str) -> When {
    When::Instant { at: text.parse().unwrap(), sigma_s: 60.0 }
}

fn pixel(lat: f64, lon: f64, when: &str) -> Observation {
    Observation {
        when: moment(when),
        delay_s: 0.0,
        available: None,
        place: Where::Footprint { at: at(lat, lon), scan_km: 1.0, track_km: 1.0, sigma_m: 100.0 },
        signature: Signature::ThermalAnomaly,
        classes: vec![],
        count: None,
        measures: [("daynight", Value::Text("N".into()))].into_iter().collect(),
        text: None,
    }
}

fn weigh(kind: SourceKind, observation: Observation, reference: &Reference) -> Verdict {
    fusion::interpret(&recorded(kind, 0, observation), &source(kind), reference, &Rules::current())
}

fn all(observations: Vec<(SourceKind, Observation)>, reference: &Reference) -> Grouped {
    let rules = Rules::current();
    let sightings = observations
        .into_iter()
        .enumerate()
        .filter_map(|(entry, (kind, observation))| {
            match fusion::interpret(
                &recorded(kind, entry as u64, observation),
                &source(kind),
                reference,
                &rules,
            ) {
                Verdict::Sighting(sighting) => Some(*sighting),
                Verdict::SetAside(_) => None,
            }
        })
        .collect();
    fusion::group(sightings, reference, &rules, &[])
}

const KHERSON: (f64, f64) = (46.65, 32.6);
const DRONE: &str = "Дрон атакував Херсон: двоє поранених";

#[test]
fn the_same_headline_under_another_date_or_row_is_one_report() {
    let reference = reference(Climatology::default());
    let grouped = all(
        vec![
            (
                SourceKind::Press,
                headline(day("2025-04-19"), "Kherson", at(KHERSON.0, KHERSON.1), DRONE),
            ),
            (
                SourceKind::Press,
                headline(day("2025-04-20"), "Kherson", at(KHERSON.0, KHERSON.1), DRONE),
            ),
            (
                SourceKind::Press,
                headline(
                    moment("2025-04-19T09:00:00Z"),
                    "Kherson",
                    at(KHERSON.0, KHERSON.1),
                    "«Дрон» атакував Херсон – двоє поранених!",
                ),
            ),
        ],
        &reference,
    );
    assert_eq!(grouped.incidents.len(), 1);
    let incident = &grouped.incidents[0];
    assert_eq!((incident.origins, incident.members.len()), (1, 3));
    assert_eq!(incident.members.iter().filter(|member| member.repeat).count(), 2);
    assert_eq!(incident.signatures.values().sum::<u64>(), 1);
}

#[test]
fn one_headline_about_two_towns_is_two_incidents_of_one_origin() {
    let reference = reference(Climatology::default());
    let text = "Вибухи: обстріляно Херсон і Костянтинівку";
    let grouped = all(
        vec![
            (
                SourceKind::Press,
                headline(day("2025-04-19"), "Kherson", at(KHERSON.0, KHERSON.1), text),
            ),
            (
                SourceKind::Press,
                headline(day("2025-04-19"), "Kostiantynivka", at(48.53, 37.7), text),
            ),
        ],
        &reference,
    );
    assert_eq!(grouped.incidents.len(), 2);
    assert_eq!(grouped.incidents[0].members[0].origin, grouped.incidents[1].members[0].origin);
}

#[test]
fn statements_about_the_truce_are_not_events() {
    let reference = reference(Climatology::default());
    for text in [
        "Очільник Херсонщини: Після початку \"перемир'я\" РФ продовжує атаки на цивільних.",
        "Речник про перемир'я: реагуємо на дії",
        "За добу на фронті відбулось 127 боїв",
    ] {
        let grouped = all(
            vec![(
                SourceKind::Press,
                headline(day("2025-04-19"), "Kherson", at(KHERSON.0, KHERSON.1), text),
            )],
            &reference,
        );
        assert!(grouped.incidents.is_empty(), "{text}");
    }
}

#[test]
fn football_and_totals_are_set_aside_with_the_reason() {
    let reference = reference(Climatology::default());
    let verdict = |text: &str| {
        weigh(
            SourceKind::Press,
            headline(day("2025-04-19"), "Kherson", at(KHERSON.0, KHERSON.1), text),
            &reference,
        )
    };
    assert!(matches!(
        verdict("Динамо розгромило суперника"),
        Verdict::SetAside(SetAside::OtherSubject)
    ));
    assert!(matches!(
        verdict("За добу на фронті відбулось 127 боїв під Херсоном"),
        Verdict::SetAside(SetAside::Summary)
    ));
    assert!(matches!(
        verdict("Дрон атакував невідоме місто"),
        Verdict::SetAside(SetAside::NoPlace(_))
    ));
}

#[test]
fn an_alert_is_a_warning_and_no_incident() {
    let reference = reference(Climatology::default());
    let mut alert = headline(day("2025-04-19"), "Kherson", at(KHERSON.0, KHERSON.1), "");
    alert.signature = Signature::Alert;
    assert!(matches!(
        weigh(SourceKind::Authority, alert, &reference),
        Verdict::SetAside(SetAside::Context)
    ));
}

/// A season of fires about a spot, every year.
fn stubble(spot: LatLon) -> Climatology {
    let mut climatology = Climatology::default();
    for year in 2019..=2021 {
        for day in 1..=28 {
            for (north, east) in [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1)] {
                climatology.add(
                    at(spot.lat() + north, spot.lon() + east),
                    jiff::civil::date(year, 4, day),
                );
            }
        }
    }
    climatology
}

/// VERIFICATION D18, T: 50 copies of one claim are worth one.
#[test]
fn d18_fifty_copies_are_one_origin() {
    let reference = reference(Climatology::default());
    let text = "Росіяни вдарили дронами по Херсону, пошкоджено будинки";
    let copies = |count: u64| {
        let copy = |number| {
            // Copied from hour to hour, under one place.
            let when = format!("2025-04-20T{:02}:{:02}:00Z", 6 + number / 10, number % 10 * 6);
            (SourceKind::Press, headline(moment(&when), "Kherson", at(46.65, 32.6), text))
        };
        all((0..count).map(copy).collect(), &reference).incidents
    };
    let (one, many) = (copies(1), copies(50));
    assert_eq!((one.len(), many.len()), (1, 1));
    assert_eq!((many[0].origins, many[0].members.len()), (1, 50));
    assert_eq!(many[0].classes, one[0].classes);
    assert_eq!(many[0].signatures, one[0].signatures);
    assert_eq!(many[0].id, one[0].id);
}

/// VERIFICATION D20, T: a harvest season yields nothing from thermal data alone.
#[test]
fn d20_a_burning_season_alone_makes_no_incident() {
    let spot = at(48.35, 37.05);
    let reference = reference(stubble(spot));
    let fires = (1..=28)
        .map(|day| {
            (SourceKind::Satellite, pixel(48.35, 37.05, &format!("2025-04-{day:02}T10:00:00Z")))
        })
        .collect();
    let grouped = all(fires, &reference);
    assert!(grouped.incidents.is_empty() && grouped.left_over.is_empty());
}

/// Peacetime fires everywhere in the theatre, but in autumn only.
fn autumn() -> Climatology {
    let mut climatology = Climatology::default();
    for year in 2019..=2021 {
        for row in 460..520 {
            for column in 320..400 {
                let spot = at(f64::from(row) / 10.0 + 0.05, f64::from(column) / 10.0 + 0.05);
                climatology.add(spot, jiff::civil::date(year, 10, 3));
            }
        }
    }
    climatology
}

#[test]
fn an_unexplained_fire_opens_near_the_line_and_only_there() {
    let reference = reference(autumn());
    let near =
        all(vec![(SourceKind::Satellite, pixel(48.32, 37.5, "2025-04-18T00:10:00Z"))], &reference);
    assert_eq!(near.incidents.len(), 1);
    assert_eq!(near.incidents[0].alternatives[0].class, Class::Z3);
    let far =
        all(vec![(SourceKind::Satellite, pixel(49.5, 35.0, "2025-04-18T00:10:00Z"))], &reference);
    assert!(far.incidents.is_empty());
    assert!(
        matches!(far.left_over[0].1, SetAside::FarFromLine { distance_m } if distance_m > 100_000.0)
    );
}

#[test]
fn a_fire_joins_the_report_that_it_fits() {
    let reference = reference(autumn());
    let grouped = all(
        vec![
            (
                SourceKind::Press,
                headline(
                    moment("2025-04-19T20:00:00Z"),
                    "Kherson",
                    at(KHERSON.0, KHERSON.1),
                    DRONE,
                ),
            ),
            (SourceKind::Satellite, pixel(46.66, 32.62, "2025-04-19T23:40:00Z")),
        ],
        &reference,
    );
    assert_eq!(grouped.incidents.len(), 1, "{:#?}", grouped.incidents);
    let incident = &grouped.incidents[0];
    assert_eq!(incident.groups, ["press", "satellite"]);
    assert_eq!(incident.class(), Class::A9);
    assert!(incident.place.radius_m() < 1_000.0, "the pixel is the better place");
    assert!(incident.alternatives.is_empty(), "a fire with a report is not just a fire");
}

#[test]
fn different_weapons_at_one_place_stay_apart() {
    let reference = reference(Climatology::default());
    let grouped = all(
        vec![
            (
                SourceKind::Press,
                headline(day("2025-04-19"), "Kherson", at(KHERSON.0, KHERSON.1), DRONE),
            ),
            (
                SourceKind::Press,
                headline(
                    day("2025-04-19"),
                    "Kherson",
                    at(KHERSON.0, KHERSON.1),
                    "Артилерія обстріляла Херсон",
                ),
            ),
        ],
        &reference,
    );
    assert_eq!(grouped.incidents.len(), 2);
}

/// A region is known, a town is known: they may be one and are not merged.
#[test]
fn a_report_about_a_region_stays_by_itself_and_points_at_what_it_may_repeat() {
    let reference = reference(Climatology::default());
    let mut claim = headline(day("2025-04-19"), "", at(KHERSON.0, KHERSON.1), "");
    claim.text = None;
    claim.signature = Signature::Launch;
    claim.classes = vec![Class::A9];
    claim.count = Some(87.0);
    claim.place =
        Where::Named { name: "south".into(), at: Some(at(46.9, 33.0)), radius_m: 150_000.0 };
    let grouped = all(
        vec![
            (
                SourceKind::Press,
                headline(day("2025-04-19"), "Kherson", at(KHERSON.0, KHERSON.1), DRONE),
            ),
            (SourceKind::Party, claim),
        ],
        &reference,
    );
    assert_eq!(grouped.incidents.len(), 2);
    let coarse =
        grouped.incidents.iter().find(|incident| incident.claimed_count == Some(87.0)).unwrap();
    let exact = grouped.incidents.iter().find(|incident| incident.claimed_count.is_none()).unwrap();
    let same: Vec<Id> = coarse.may_be_same_as.iter().map(|same| same.incident).collect();
    assert_eq!(same, [exact.id]);
    assert!(exact.may_be_same_as.is_empty());
}

#[test]
fn a_line_that_moved_is_movement_and_not_fire() {
    let reference = reference(Climatology::default());
    let grouped = all(
        vec![(
            SourceKind::Press,
            headline(
                day("2025-04-20"),
                "Kostiantynivka",
                at(48.53, 37.7),
                "Ворог просунувся біля Костянтинівки",
            ),
        )],
        &reference,
    );
    assert_eq!(grouped.incidents[0].class(), Class::C1);
    assert_eq!(
        grouped.incidents[0].signatures.keys().copied().collect::<Vec<_>>(),
        [Signature::Movement]
    );
}

#[test]
fn incidents_name_place_control_and_reference_city() {
    let reference = reference(Climatology::default());
    let grouped = all(
        vec![(
            SourceKind::Press,
            headline(
                day("2025-04-20"),
                "Kostiantynivka",
                at(48.53, 37.7),
                "Обстріляно Костянтинівку",
            ),
        )],
        &reference,
    );
    assert_eq!(
        grouped.incidents[0].place_name,
        "Kostiantynivka (government-controlled, 57km north of Donetsk)"
    );
    assert!(grouped.incidents[0].remarks.iter().any(|remark| remark.contains("one origin")));
}

fn sighting(
    index: u32,
    lat: f64,
    lon: f64,
    minute: i64,
    length_min: i64,
    class: Class,
) -> Sighting {
    let from = Timestamp::from_second(1_745_000_000 + minute * 60).unwrap();
    let to = Timestamp::from_second(1_745_000_000 + (minute + length_min) * 60).unwrap();
    let id = Id::of(domain::IdKind::Observation, &[&index.to_be_bytes()]);
    Sighting {
        observation: id,
        at: RecordPosition { entry: u64::from(index), line: 0 },
        source: "s".into(),
        group: "s".into(),
        kind: SourceKind::Acoustic,
        origin: fusion::sighting::OriginKey::Own(id),
        opens: true,
        when: domain::Occurrence {
            span: domain::Interval { from, to },
            sigma_s: 0.0,
            extent: Extent::Once,
        },
        place: domain::Located::Normal {
            at: at(lat, lon),
            covariance: Covariance::circular(300.0),
        },
        signature: Signature::Explosion,
        classes: vec![class],
        shares: Vec::new(),
        innocent: Vec::new(),
        objects: vec![],
        count: None,
        usual: None,
        certainty: None,
        wave: None,
        particulars: domain::Particulars::default(),
        remarks: vec![],
    }
}

/// An event that an engine inferred from arrays, which place it roughly.
fn infrasound(index: u32) -> Sighting {
    let mut event = sighting(index, 48.1, 37.1, 0, 0, Class::A13);
    event.place =
        domain::Located::Normal { at: at(48.1, 37.1), covariance: Covariance::circular(12_000.0) };
    event.when.sigma_s = 40.0;
    event.certainty = Some(domain::Probability::new(0.99));
    event.wave = Some(domain::event::Wave::Infrasound);
    (event.source, event.group) = ("ring".into(), "ring".into());
    event
}

#[test]
fn a_roughly_placed_event_joins_only_what_it_can_hardly_not_be() {
    let exact = |index, lat| sighting(index, lat, 37.1, 0, 0, Class::A4);
    let one = incidents(vec![exact(1, 48.1), infrasound(9)]);
    assert_eq!((one.len(), one[0].origins), (1, 2), "{one:#?}");
    assert_eq!(one[0].place.radius_m().round(), (2.4477_f64 * 300.0).round());
    // Between two it is neither.
    let either = incidents(vec![exact(1, 48.02), exact(2, 48.18), infrasound(9)]);
    assert_eq!(either.len(), 3, "{either:#?}");
    let open = either.iter().find(|one| one.members[0].source == "ring").unwrap();
    assert_eq!(open.may_be_same_as.len(), 2, "{open:#?}");
    // A report that is placed as roughly is not an event of instruments.
    let mut report = infrasound(9);
    report.wave = None;
    assert_eq!(incidents(vec![exact(1, 48.1), report]).len(), 2);
}

#[test]
fn an_exercise_is_named_where_nobody_says_that_it_was_none() {
    let of = |notified| {
        let mut one = sighting(1, 48.1, 37.1, 0, 0, Class::A4);
        one.particulars.notified = notified;
        let incident = incidents(vec![one]).remove(0);
        incident.alternatives.into_iter().find(|other| other.class == Class::Z1)
    };
    assert!(of(None).unwrap().because.contains("nothing of a notification"));
    assert!(of(Some(true)).unwrap().because.contains("had been notified"));
    assert_eq!(of(Some(false)), None);
    // A report in words tells what it was.
    let mut report = sighting(2, 48.1, 37.1, 0, 0, Class::A4);
    report.origin = fusion::sighting::OriginKey::Text("shelling".into());
    let told = incidents(vec![sighting(1, 48.1, 37.1, 0, 0, Class::A4), report]);
    assert!(told[0].alternatives.iter().all(|other| other.class != Class::Z1), "{told:#?}");
}

prop_compose! {
    fn sightings()(specs in proptest::collection::vec((0u32..40, 0u32..40, 0i64..3000, 0i64..400, proptest::sample::select(&[Class::A3, Class::A4, Class::A13][..])), 0..40)) -> Vec<Sighting> {
        specs.into_iter().enumerate().map(|(index, (north, east, minute, length, class))| {
            sighting(index as u32, 48.0 + f64::from(north) * 0.02, 37.0 + f64::from(east) * 0.02, minute, length, class)
        }).collect()
    }
}

fn incidents(sightings: Vec<Sighting>) -> Vec<Incident> {
    fusion::group(sightings, &reference(Climatology::default()), &Rules::current(), &[]).incidents
}

proptest! {
    #[test]
    fn the_order_of_arrival_does_not_matter(sightings in sightings().prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle()))) {
        prop_assert_eq!(incidents(sightings.0), incidents(sightings.1));
    }

    #[test]
    fn every_sighting_is_in_exactly_one_incident(list in sightings()) {
        let count = list.len();
        let mut members: Vec<Id> = incidents(list).into_iter().flat_map(|incident| incident.members).map(|member| member.observation).collect();
        let total = members.len();
        members.sort_unstable();
        members.dedup();
        prop_assert_eq!((total, members.len()), (count, count));
    }

    #[test]
    fn a_front_far_away_changes_nothing_here(list in sightings(), far in sightings()) {
        let here = incidents(list.clone());
        let mut both = list;
        both.extend(far.into_iter().enumerate().map(|(index, there)| {
            let mut moved = sighting(10_000 + index as u32, 52.0, 20.0, 0, 0, Class::A4);
            moved.when = there.when;
            moved
        }));
        let with_far: Vec<Incident> = incidents(both).into_iter().filter(|incident| incident.place.centre().unwrap().lat() < 50.0).collect();
        prop_assert_eq!(with_far, here);
    }

    #[test]
    fn shares_of_classes_add_up(list in sightings()) {
        for incident in incidents(list) {
            let sum: f64 = incident.classes.iter().map(|share| share.share.get()).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
            prop_assert!(incident.when.span.from <= incident.when.span.to);
        }
    }
}

/// A watch that saw the whole of a span everywhere.
fn watch(kind: SourceKind, state: domain::EffortState) -> fusion::Watch {
    let at = |second: i64| Timestamp::from_second(1_745_000_000 + second).unwrap();
    fusion::Watch {
        source: "watcher".into(),
        kind,
        efforts: vec![domain::Effort {
            part: String::new(),
            interval: domain::Interval { from: at(-100_000), to: at(1_000_000) },
            footprint: domain::Footprint::Everywhere,
            state,
            sensitivity: String::new(),
        }],
        night: true,
    }
}

/// VERIFICATION D1: by night (20:13 by the local clock, the sun is down) the
/// silence of a camera that is blind in the dark says nothing.
#[test]
fn d1_the_silence_of_a_blind_camera_says_nothing_by_night() {
    let one = || vec![sighting(1, 48.0, 37.0, 0, 10, Class::A4)];
    let alone = watched(one(), &[]);
    let camera = watch(SourceKind::Camera, domain::EffortState::Up);
    let blind = fusion::Watch { night: false, ..camera.clone() };
    assert_eq!(watched(one(), &[blind])[0].belief, alone[0].belief);
    assert_ne!(watched(one(), &[camera])[0].belief, alone[0].belief);
}

fn watched(list: Vec<Sighting>, watches: &[fusion::Watch]) -> Vec<Incident> {
    fusion::group(list, &reference(Climatology::default()), &Rules::current(), watches).incidents
}

fn log_odds(incident: &Incident) -> f64 {
    incident.belief.reasons.iter().map(|reason| reason.log_odds).sum()
}

/// VERIFICATION D2: what was not seen changes a claim only by the declared ratio.
#[test]
fn d2_silence_takes_away_the_declared_ratio_and_nothing_else() {
    let one = || vec![sighting(1, 48.0, 37.0, 0, 10, Class::A4)];
    let alone = watched(one(), &[]);
    let sees = fusion::Priors::current(vec![]).model(SourceKind::Camera).unwrap().sees;
    let looked = watched(one(), &[watch(SourceKind::Camera, domain::EffortState::Up)]);
    let lost = log_odds(&looked[0]) - log_odds(&alone[0]);
    assert!((lost - (1.0 - sees).ln()).abs() < 1e-3, "{lost}");
    for state in [domain::EffortState::Down, domain::EffortState::Unknown] {
        let blind = watched(one(), &[watch(SourceKind::Camera, state)]);
        assert_eq!(blind[0].belief, alone[0].belief, "who does not look says nothing");
    }
}

/// VERIFICATION D11, T: more allegations of one party weigh no more than one.
#[test]
fn d11_more_allegations_of_one_party_change_no_probability() {
    let allege = |count: u32| {
        let list = (0..count)
            .map(|index| Sighting {
                kind: SourceKind::Party,
                group: "party".into(),
                ..sighting(index, 48.0, 37.0, i64::from(index) % 5, 10, Class::A4)
            })
            .collect();
        watched(list, &[])
    };
    let (one, many) = (allege(1), allege(40));
    assert_eq!((one.len(), many.len()), (1, 1));
    assert_eq!(one[0].belief.probability, many[0].belief.probability);
    assert!(one[0].belief.probability.get() < 0.9);
}

/// An independent kind of source convinces more than the same one once more.
#[test]
fn independent_origins_add_more_than_the_same_group_again() {
    let with = |kind: SourceKind, group: &str| {
        let second =
            Sighting { kind, group: group.into(), ..sighting(2, 48.0, 37.0, 2, 10, Class::A4) };
        let first = Sighting {
            kind: SourceKind::Press,
            group: "press".into(),
            ..sighting(1, 48.0, 37.0, 0, 10, Class::A4)
        };
        let found = watched(vec![first, second], &[]);
        assert_eq!(found.len(), 1);
        log_odds(&found[0])
    };
    let same = with(SourceKind::Press, "press");
    let other = with(SourceKind::Press, "another press");
    assert!(other > same + 1.0, "{other} {same}");
}

proptest! {
    #[test]
    fn beliefs_follow_from_their_reasons(list in sightings()) {
        for incident in watched(list, &[watch(SourceKind::Patrol, domain::EffortState::Up)]) {
            let p = 1.0 / (1.0 + (-log_odds(&incident)).exp());
            prop_assert!((p - incident.belief.probability.get()).abs() < 1e-9);
            prop_assert!(incident.members.iter().all(|member| member.weight.get() > 0.0));
            let same: f64 = incident.may_be_same_as.iter().map(|same| same.probability.get()).sum();
            prop_assert!(same + incident.belief.distinct.get() <= 1.0 + 1e-9);
        }
    }

    /// A calibration is one more line, with which the lines add up as before; it
    /// changes nothing else, and nothing where there is none.
    #[test]
    fn a_calibration_is_one_more_reason(list in sightings()) {
        let (_, text) = fusion::prior_file::PRIORS[1];
        let mut reference = reference(Climatology::default());
        reference.priors = fusion::Priors::parse(&strict::Text::new("p", text), vec![]).unwrap();
        let calibrated = fusion::group(list.clone(), &reference, &Rules::current(), &[]).incidents;
        let declared = watched(list, &[]);
        prop_assert_eq!(calibrated.len(), declared.len());
        for (one, before) in calibrated.iter().zip(&declared) {
            let p = 1.0 / (1.0 + (-log_odds(one)).exp());
            prop_assert!((p - one.belief.probability.get()).abs() < 1e-9);
            prop_assert!((one.belief.before_calibration() - log_odds(before)).abs() < 1e-9);
            let group = reference.priors.calibration.of(&one.kinds);
            let more = usize::from(group.is_some());
            prop_assert_eq!(one.belief.reasons.len(), before.belief.reasons.len() + more);
            prop_assert_eq!(group.is_none(), one.belief.calibrated_on.is_empty());
            if let Some(group) = group {
                prop_assert!(one.belief.probability.get() <= group.ceiling + 1e-3);
            }
        }
    }
}
