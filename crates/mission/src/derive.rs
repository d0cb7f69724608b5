//! The fold: record -> state. The same record, the same engine, the same bits,
//! on any machine and any number of threads.

use std::collections::BTreeMap;
use std::fs;

use domain::effort::DayEffort;
use domain::state::{Facts, MapState, RowCounts, SourceDay, SourceState, State};
use domain::sun::share_dark;
use domain::time::{DAY_S, shifted};
use domain::{
    Class, Effort, Event, Id, IdKind, Interval, Observation, RecordPosition, Sector, Signature,
    Source, SourceKind, When,
};
use findings::Evaluator;
use fusion::{ENGINE_VERSION, Recorded, Rules, Sighting, Verdict, Watch};
use jiff::civil::Date;
use rayon::prelude::*;
use record::Reader;

use crate::entry::{BatchOf, Use};
use crate::error::{Error, OnPath as _, Result};
use crate::folder::{Mission, write_durably};
use crate::ingest::read_mapping;
use crate::ledger::{Ledger, Passing};
use crate::looking::{self, source_days, stated_effort};
use crate::networks::{self, EngineOf, EventAccount, Heard, Listening};
use crate::world::{AsOf, Network, World};

/// File of the derived state in the folder `derived`.
pub const STATE: &str = "state.jsonl";
/// File with its digest, in the form that `sha256sum --check` reads.
pub const DIGEST: &str = "state.sha256";

/// Derives the state from the record, in memory.
pub fn derive(mission: &Mission, as_of: AsOf) -> Result<(State, World)> {
    let (state, world, _) = trace(mission, as_of, &Follow::default())?;
    Ok((state, world))
}

/// A row of the record on its way through the fold.
#[derive(Clone, Debug)]
pub struct Fate {
    /// The observation.
    pub observation: Id,
    /// Where it stands in the record.
    pub at: RecordPosition,
    /// Its source.
    pub source: String,
    /// The day on which it is counted.
    pub day: Date,
    /// What became of it, in words; empty until that is known.
    pub words: String,
    /// The incident that it joined, if any.
    pub incident: Option<Id>,
}

/// What is followed on its way through the fold.
#[derive(Clone, Copy)]
pub struct Follow<'a> {
    /// These rows, to their end.
    pub rows: &'a (dyn Fn(&Fate) -> bool + Sync),
    /// Why the events are believed whose ids begin so.
    pub event: Option<&'a str>,
}

impl Default for Follow<'_> {
    fn default() -> Self {
        Self { rows: &|_| false, event: None }
    }
}

/// What became of what was followed.
#[derive(Debug, Default)]
pub struct Followed {
    /// The rows, in record order.
    pub fates: Vec<Fate>,
    /// The events, in order of time.
    pub accounts: Vec<EventAccount>,
}

/// Derives the state, and follows what is to be followed.
pub fn trace(
    mission: &Mission,
    as_of: AsOf,
    follow: &Follow<'_>,
) -> Result<(State, World, Followed)> {
    let reader = mission.reader()?;
    let world = World::gather(mission, &reader, as_of)?;
    let (state, followed) = fold(mission, &reader, &world, as_of, follow)?;
    Ok((state, world, followed))
}

/// Runs something on a pool of so many threads; 0 for as many as there are cores.
pub fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::Asked(format!("no threads to work with: {error}")))?;
    Ok(pool.install(work))
}

/// Derives the state and stores it in the folder `derived`.
pub fn derive_and_store(mission: &Mission) -> Result<(State, World)> {
    let (state, world) = derive(mission, AsOf::Now)?;
    let folder = mission.derived();
    fs::create_dir_all(&folder).on("making", &folder)?;
    let bytes = state.to_bytes();
    // Written beside its place first: half a state is never read.
    for (name, content) in [(STATE, bytes.as_slice()), (DIGEST, digest_file(&bytes).as_bytes())] {
        let draft = folder.join(format!(".{name}.incomplete"));
        write_durably(&draft, content, false)?;
        let path = folder.join(name);
        fs::rename(&draft, &path).on("replacing", &path)?;
    }
    Ok((state, world))
}

/// The content of the digest file.
pub fn digest_file(state: &[u8]) -> String {
    format!("{}  {STATE}\n", domain::state::digest(state))
}

/// The stored state, if it was derived from the record as it is now.
pub fn stored(mission: &Mission) -> Result<Option<State>> {
    let path = mission.derived().join(STATE);
    if !path.is_file() {
        return Ok(None);
    }
    let state = State::from_bytes(&fs::read(&path).on("reading", &path)?);
    let size = mission.reader()?.size();
    Ok(state.filter(|state| {
        let facts = &state.facts;
        facts.entries == size && facts.engine == ENGINE_VERSION && facts.known_by.is_none()
    }))
}

/// What is gathered while the record passes by.
struct Gathering<'w> {
    world: &'w World,
    rules: Rules,
    as_of: AsOf,
    sources: BTreeMap<String, Tally>,
    sightings: Vec<Sighting>,
    /// Arrivals at the stations of networks, by source and engine.
    heard: BTreeMap<(String, EngineOf), Vec<Heard>>,
    /// Day of each sighting by its place in the record.
    days: BTreeMap<RecordPosition, Date>,
    follow: Follow<'w>,
    /// The rows that are followed.
    fates: BTreeMap<RecordPosition, Fate>,
    /// The events that are.
    accounts: Vec<EventAccount>,
}

#[derive(Default)]
struct Tally {
    days: BTreeMap<Date, SourceDay>,
    efforts: Vec<Effort>,
    nights: BTreeMap<Date, BTreeMap<Class, f64>>,
}

fn fold(
    mission: &Mission,
    reader: &Reader,
    world: &World,
    as_of: AsOf,
    follow: &Follow<'_>,
) -> Result<(State, Followed)> {
    let genesis = world.ledger.genesis()?;
    let mut gathering = Gathering {
        world,
        rules: Rules::current(),
        as_of,
        sources: BTreeMap::new(),
        sightings: Vec::new(),
        heard: BTreeMap::new(),
        days: BTreeMap::new(),
        follow: *follow,
        fates: BTreeMap::new(),
        accounts: Vec::new(),
    };
    let ledger =
        Ledger::fold(mission, reader, as_of.size(reader)?, |passing| gathering.batch(&passing))?;
    let events = gathering.associate(genesis.window.whole())?;
    let watches = gathering.watches();
    let grouped = fusion::group(
        std::mem::take(&mut gathering.sightings),
        &world.reference,
        &gathering.rules,
        &watches,
    );
    gathering.count_outcomes(&grouped);
    gathering.tell_fates(&grouped, &events);
    let evaluator = Evaluator::new(&world.agreement);
    let mut incidents = grouped.incidents;
    let mut findings: Vec<domain::Finding> = incidents
        .par_iter()
        .flat_map_iter(|incident| evaluator.evaluate(incident, world))
        .collect();
    let casework = crate::people::casework(mission, reader, world, &incidents, &findings, as_of);
    crate::people::set_status(&casework, &mut incidents, &mut findings);
    let facts = Facts {
        engine: ENGINE_VERSION,
        entries: ledger.entries,
        known_by: match as_of {
            AsOf::Moment(moment) => Some(moment),
            AsOf::Now | AsOf::Size(_) => None,
        },
        case: genesis.case.clone(),
        title: genesis.title.clone(),
        note: genesis.note.clone(),
        exercise: genesis.exercise,
        agreement: world.agreement.reference(),
        zone: genesis.zone.clone(),
        window: genesis.window,
        report_days: genesis.report_days,
    };
    let (sources, sectors) = sources(mission, &ledger, &facts, gathering.sources, world, as_of)?;
    let mut state = State {
        facts,
        sources,
        maps: maps(world),
        sectors,
        events,
        incidents,
        findings,
        cases: casework.cases.clone(),
        steps: casework.steps.clone(),
        obligations: Vec::new(),
    };
    state.obligations = crate::owed::obligations(&state, &casework, &world.agreement, as_of);
    let fates = gathering.fates.into_values().collect();
    Ok((state, Followed { fates, accounts: gathering.accounts }))
}

impl Gathering<'_> {
    fn batch(&mut self, passing: &Passing<'_>) -> Result<()> {
        if passing.input.used_as == Use::Peacetime {
            return Ok(());
        }
        let lines = passing
            .lines
            .clone()
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Error::entry(passing.entry, &error))?;
        match passing.of {
            BatchOf::Observations => self.observations(passing, &lines),
            BatchOf::Efforts => self.efforts(passing, &lines),
            BatchOf::Quarantine => Ok(()),
        }
    }

    fn efforts(&mut self, passing: &Passing<'_>, lines: &[(u64, &[u8])]) -> Result<()> {
        let tally = self.sources.entry(passing.input.source.clone()).or_default();
        for (_, json) in lines {
            let effort: Effort = serde_json::from_slice(json)
                .map_err(|error| Error::entry(passing.entry, &error))?;
            if self.as_of.knows(effort.interval.to) {
                tally.efforts.push(effort);
            }
        }
        Ok(())
    }

    fn observations(&mut self, passing: &Passing<'_>, lines: &[(u64, &[u8])]) -> Result<()> {
        let genesis = self.world.ledger.genesis()?;
        let whole = genesis.window.whole();
        let source = self
            .world
            .ledger
            .source(&passing.input.source)
            .ok_or_else(|| Error::entry(passing.entry, &"its source is not declared"))?;
        // Reading and weighing is the bulk of the work and goes to all threads;
        // the results come back in the order of the lines.
        let weighed: Vec<Option<(Recorded, Verdict)>> = lines
            .par_iter()
            .enumerate()
            .map(|(number, (_, json))| {
                let observation = Observation::from_line(json)
                    .map_err(|error| Error::entry(passing.entry, &error))?;
                let span = observation.occurrence().span;
                if span.to < whole.from
                    || span.from >= whole.to
                    || !self.as_of.knows(observation.known_from())
                {
                    return Ok(None);
                }
                let recorded = Recorded {
                    id: Observation::id(&source.id, json),
                    at: RecordPosition { entry: passing.entry, line: number as u32 },
                    observation,
                };
                let verdict =
                    fusion::interpret(&recorded, source, &self.world.reference, &self.rules);
                Ok(Some((recorded, verdict)))
            })
            .collect::<Result<_>>()?;
        let middle = looking::middle(self.world);
        let tally = self.sources.entry(source.id.clone()).or_default();
        for (recorded, verdict) in weighed.into_iter().flatten() {
            let observation = &recorded.observation;
            let day = genesis.zone.date(observation.when.interval().from);
            let counts =
                tally.days.entry(day).or_insert_with(|| SourceDay::empty(DayEffort::of_share(0.0)));
            counts.rows += 1;
            if let Some(at) = observation.place.representative().or(middle) {
                counts.dark_rows += share_dark(at, &observation.when.interval());
            }
            *counts.signatures.entry(observation.signature).or_default() += 1;
            if let Some(count) = observation.count
                && source.kind == SourceKind::Party
                && !matches!(observation.when, When::Day { .. })
            {
                // From noon to noon: an attack by night is one attack. Some are
                // reported as a whole day; most of it decides.
                let middle = observation.when.interval().middle();
                let night = genesis.zone.date(shifted(middle, -DAY_S / 2.0));
                let class = observation
                    .classes
                    .first()
                    .copied()
                    .unwrap_or(observation.signature.default_class());
                *tally.nights.entry(night).or_default().entry(class).or_default() += count;
            }
            if let Some(count) = observation.count {
                *counts.claimed.entry(observation.signature).or_default() += count;
            }
            if matches!(observation.when, When::During { end_assumed: true, .. }) {
                counts.assumed_ends += 1;
            }
            let mut fate = Fate {
                observation: recorded.id,
                at: recorded.at,
                source: source.id.clone(),
                day,
                words: String::new(),
                incident: None,
            };
            if (self.follow.rows)(&fate) {
                if let Verdict::SetAside(reason) = &verdict {
                    fate.words = format!("set aside: {reason}");
                }
                self.fates.insert(recorded.at, fate);
            }
            // One arrival is no occurrence; the engine looks at them together.
            if observation.signature == Signature::Arrival
                && let Some(heard) = Heard::new(observation, recorded.id, recorded.at, day)
            {
                self.heard.entry((source.id.clone(), heard.engine())).or_default().push(heard);
                continue;
            }
            match verdict {
                Verdict::Sighting(sighting) => {
                    self.days.insert(sighting.at, day);
                    self.sightings.push(*sighting);
                }
                Verdict::SetAside(reason) => {
                    *counts.outcomes.entry(reason.code().to_owned()).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    /// Infers events from the arrivals at each network, and takes them up as
    /// sightings.
    fn associate(&mut self, whole: Interval) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let nothing = Network::default();
        for ((id, engine), heard) in std::mem::take(&mut self.heard) {
            let source = self
                .world
                .ledger
                .source(&id)
                .ok_or_else(|| Error::Asked(format!("the record declares no source `{id}`")))?;
            let network = self.world.networks.get(&id).unwrap_or(&nothing);
            let tally = self.sources.entry(id.clone()).or_default();
            let (basis, efforts) = (&source.effort, tally.efforts.as_slice());
            let listening = Listening { network, basis, efforts, whole };
            let found = networks::associate(&id, engine, &listening, heard, self.follow.event);
            self.accounts.extend(found.account);
            for (at, day, outcome) in found.outcomes {
                if let Some(counts) = tally.days.get_mut(&day) {
                    *counts.outcomes.entry(outcome.code().to_owned()).or_default() += 1;
                }
                if let Some(fate) = self.fates.get_mut(&at) {
                    fate.words = outcome.to_string();
                }
            }
            let zone = &self.world.ledger.genesis()?.zone;
            for event in &found.events {
                match Sighting::of_event(event, source) {
                    Verdict::Sighting(sighting) => {
                        self.days.insert(sighting.at, zone.date(event.when.span.from));
                        self.sightings.push(*sighting);
                    }
                    Verdict::SetAside(reason) => {
                        for arrival in &event.arrivals {
                            if let Some(fate) = self.fates.get_mut(&arrival.at) {
                                fate.words = format!("{}; set aside: {reason}", fate.words);
                            }
                        }
                    }
                }
            }
            events.extend(found.events);
        }
        events.sort_by_key(|event| (event.when.span, event.id));
        Ok(events)
    }

    /// Who was looking, of the sources whose rows are evidence.
    fn watches(&self) -> Vec<Watch> {
        let sources = &self.world.ledger.sources;
        sources
            .iter()
            .map(|source| {
                let logged = self.sources.get(&source.id).map(|tally| tally.efforts.clone());
                let stated = stated_effort(&source.effort, self.as_of);
                let efforts = logged.unwrap_or_default().into_iter().chain(stated).collect();
                Watch {
                    source: source.id.clone(),
                    kind: source.kind,
                    efforts,
                    night: source.sees_in_the_dark(),
                }
            })
            .collect()
    }

    /// Completes the fates of the rows that are followed.
    fn tell_fates(&mut self, grouped: &fusion::Grouped, events: &[Event]) {
        let arrivals: BTreeMap<Id, &Event> = events.iter().map(|event| (event.id, event)).collect();
        for incident in &grouped.incidents {
            for member in &incident.members {
                if let Some(event) = arrivals.get(&member.observation) {
                    for arrival in &event.arrivals {
                        if let Some(fate) = self.fates.get_mut(&arrival.at) {
                            fate.incident = Some(incident.id);
                        }
                    }
                } else if let Some(fate) = self.fates.get_mut(&member.at) {
                    fate.words.clone_from(&member.because);
                    fate.incident = Some(incident.id);
                }
            }
        }
        for (sighting, reason) in &grouped.left_over {
            if let Some(fate) = self.fates.get_mut(&sighting.at) {
                fate.words = format!("set aside: {reason}");
            }
        }
    }

    /// Counts what became of the sightings.
    fn count_outcomes(&mut self, grouped: &fusion::Grouped) {
        let members =
            // What became of arrivals is counted where they became events.
            grouped.incidents.iter().flat_map(|incident| &incident.members).filter(|member| {
                member.observation.kind() == IdKind::Observation
            }).map(|member| {
                (member.source.as_str(), member.at, if member.repeat { "repeat" } else { "joined" })
            });
        let left = grouped
            .left_over
            .iter()
            .map(|(sighting, reason)| (sighting.source.as_str(), sighting.at, reason.code()));
        for (source, at, code) in members.chain(left) {
            let counts = self
                .sources
                .get_mut(source)
                .zip(self.days.get(&at))
                .and_then(|(tally, day)| tally.days.get_mut(day));
            if let Some(counts) = counts {
                *counts.outcomes.entry(code.to_owned()).or_default() += 1;
            }
        }
    }
}

/// The sources with their days, and how long each sector was watched.
fn sources(
    mission: &Mission,
    ledger: &Ledger,
    facts: &Facts,
    mut tallies: BTreeMap<String, Tally>,
    world: &World,
    as_of: AsOf,
) -> Result<(Vec<SourceState>, Vec<Sector>)> {
    let mut states = Vec::with_capacity(ledger.sources.len());
    let mut efforts: Vec<Vec<Effort>> = Vec::with_capacity(ledger.sources.len());
    let middle = looking::middle(world);
    for source in &ledger.sources {
        let mut state = SourceState {
            role: role(mission, ledger, &source.id)?,
            source: source.clone(),
            files: 0,
            refused: BTreeMap::new(),
            total: RowCounts::default(),
            days: BTreeMap::new(),
            nights: BTreeMap::new(),
        };
        for file in
            ledger.files.values().filter(|file| ledger.inputs[&file.file.input].source == source.id)
        {
            let Some(done) = &file.done else { continue };
            state.files += 1;
            state.total += done.rows;
            if !done.refused.is_empty() {
                state.refused.insert(file.file.name.clone(), done.refused.clone());
            }
        }
        let mut of_source = Vec::new();
        if state.role == "evidence" {
            let tally = tallies.remove(&source.id).unwrap_or_default();
            of_source = tally.efforts;
            of_source.extend(stated_effort(&source.effort, as_of));
            state.nights = tally.nights;
            state.days = source_days(source, &of_source, tally.days, facts, middle);
        }
        states.push(state);
        efforts.push(of_source);
    }
    let looked: Vec<(&Source, &[Effort])> =
        ledger.sources.iter().zip(efforts.iter().map(Vec::as_slice)).collect();
    let sectors = looking::sectors(world, &looked, facts);
    Ok((states, sectors))
}

fn role(mission: &Mission, ledger: &Ledger, source: &str) -> Result<String> {
    let mut role = "reference";
    for input in ledger.inputs.values().filter(|input| input.source == source) {
        let kind = read_mapping(mission, &input.mapping_file)?.kind;
        if kind == intake::Kind::Observations && input.used_as == Use::Evidence {
            return Ok("evidence".to_owned());
        }
        role = match (kind, input.used_as) {
            (intake::Kind::Observations, Use::Peacetime) => "peacetime",
            (intake::Kind::Effort, _) => "effort",
            _ => role,
        };
    }
    Ok(role.to_owned())
}

fn maps(world: &World) -> Vec<MapState> {
    let km = |metres: f64| domain::probability::rounded(metres / 1000.0, 1);
    world
        .reference
        .control
        .states()
        .iter()
        .map(|state| MapState {
            state_at: state.state_at,
            area_km2: domain::probability::rounded(state.area().square_metres() / 1e6, 1),
            line_km: km(state
                .contact()
                .iter()
                .map(|part| part.windows(2).map(|pair| pair[0].distance_m(pair[1])).sum::<f64>())
                .sum()),
        })
        .collect()
}
