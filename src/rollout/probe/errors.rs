//! The errors that balancers have counted for the new containers, against `max_error_rate`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use crate::{
    balancers::Upstreams,
    event::{EventKind, Events},
    facts::responses::{Counted, Responses},
    hosts::HostError,
    model::{HostAndPort, Percentage},
    rollout::{machine::Side, slot::Placement},
    text,
};

/// The pause between two looks.
const POLL: Duration = Duration::from_secs(2);

/// How often in a row a balancer may fail to say what it has counted.
const FAILURES: usize = 5;

/// Fewer requests count as so many, so that one error among the first few is no rate.
const LEAST_REQUESTS: u64 = 100;

/// How long the last look may take, with its tries.
const LAST: Duration = Duration::from_secs(15);

/// How many ports of one container are looked for: a host may tell of thousands.
const PORTS: usize = 16;

/// A look at the balancers' counts, over and over; it ends when this is dropped.
pub struct ErrorWatch {
    stop: watch::Sender<bool>,
    exceeded: watch::Receiver<Option<String>>,
    looking: JoinSet<()>,
}

impl ErrorWatch {
    /// Begins to look. What the balancers have counted until now does not count.
    ///
    /// # Errors
    ///
    /// Why a balancer cannot say what it has counted: then nothing is watched.
    pub async fn start(
        rate: Percentage,
        balancers: Vec<Upstreams>,
        slots: Vec<Arc<Placement>>,
        events: Events,
    ) -> Result<Self, String> {
        let mut counts = Counts {
            rate,
            balancers,
            slots,
            last: Vec::new(),
            seen: HashMap::new(),
        };
        counts.last = counts.ask().await?;
        let (stop, stopped) = watch::channel(false);
        let (sender, exceeded) = watch::channel(None);
        let mut looking = JoinSet::new();
        looking.spawn(counts.look(stopped, sender, events));
        Ok(Self {
            stop,
            exceeded,
            looking,
        })
    }

    /// Waits until there are too many errors, and says so.
    pub async fn exceeded(&mut self) -> String {
        match self.exceeded.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Looks a last time; why the rollout is not to stand, if there are too many. What cannot be read then is warned of:
    /// all looks before were good enough.
    pub async fn finish(mut self, events: &Events) -> Option<String> {
        let _ = self.stop.send(true);
        let ended = tokio::time::timeout(LAST, self.looking.join_next()).await;
        if ended.is_err() {
            events.send(last_look_failed("it took too long"));
        }
        self.exceeded.borrow().clone()
    }
}

fn last_look_failed(why: &str) -> EventKind {
    EventKind::Warning {
        host: None,
        message: format!("the last errors were not counted: {why}"),
        hint: None,
    }
}

/// What balancers have counted.
struct Counts {
    rate: Percentage,
    balancers: Vec<Upstreams>,
    slots: Vec<Arc<Placement>>,
    /// What each balancer said at the last look. A container that was not there yet counts from there on: with a fixed
    /// port, what was counted before was the old one's.
    last: Vec<Counted>,
    /// The last count of each balancer for each address, and all that came in since the beginning.
    seen: HashMap<(usize, String), (Responses, Responses)>,
}

impl Counts {
    async fn look(
        mut self,
        mut stopped: watch::Receiver<bool>,
        exceeded: watch::Sender<Option<String>>,
        events: Events,
    ) {
        let mut failures = 0;
        loop {
            let stop = stopped.wait_for(|it| *it);
            let is_last = tokio::time::timeout(POLL, stop).await.is_ok();
            let reason = match self.count().await {
                Ok(all) => {
                    failures = 0;
                    if is_last && all.requests > 0 {
                        events.send(EventKind::Note {
                            message: shown(all),
                        });
                    }
                    too_many(all, self.rate)
                }
                Err(error) if is_last => {
                    events.send(last_look_failed(&error));
                    None
                }
                Err(error) => {
                    failures += 1;
                    (failures >= FAILURES).then_some(error)
                }
            };
            if is_last || reason.is_some() {
                let _ = exceeded.send(reason);
                return;
            }
        }
    }

    /// All that has come to new containers so far.
    async fn count(&mut self) -> Result<Responses, String> {
        let counted = self.ask().await?;
        for slot in &self.slots {
            for backend in slot.backends(Side::New).await {
                for (_, port) in backend.ports.iter().take(PORTS) {
                    let endpoint = HostAndPort::new(backend.address(), *port).to_string();
                    for (index, counted) in counted.iter().enumerate() {
                        let now = counted.of(backend.address(), *port);
                        let key = (index, endpoint.clone());
                        let before = self.last[index].of(backend.address(), *port);
                        let seen = self.seen.get(&key).copied();
                        let (last, all) = seen.unwrap_or((before, Responses::default()));
                        self.seen.insert(key, (now, all + now.since(last)));
                    }
                }
            }
        }
        self.last = counted;
        let all = self.seen.values().map(|(_, all)| *all);
        Ok(all.fold(Responses::default(), |all, one| all + one))
    }

    /// What each balancer says now.
    async fn ask(&self) -> Result<Vec<Counted>, String> {
        let mut all = Vec::new();
        for balancer in &self.balancers {
            let asked = balancer.errors().await;
            let why = |error: HostError| cannot_say(balancer, &text::chain(&error).join(": "));
            let counted = Counted::read(&asked.map_err(why)?);
            all.push(counted.map_err(|error| cannot_say(balancer, &error))?);
        }
        Ok(all)
    }
}

/// Why these are too many errors, if they are.
fn too_many(all: Responses, rate: Percentage) -> Option<String> {
    let whole = all.requests.max(LEAST_REQUESTS);
    let is_over = rate.is_exceeded_by(all.errors, whole);
    is_over.then(|| format!("{}, over `max_error_rate` ({rate})", shown(all)))
}

fn cannot_say(balancer: &Upstreams, why: &str) -> String {
    let (recipe, host) = (&balancer.recipe, balancer.reached.name());
    format!("`{recipe}` on `{host}` cannot say how many errors it has counted: {why}")
}

fn shown(all: Responses) -> String {
    let Responses { requests, errors } = all;
    format!("balancers counted {errors} answers with 5xx in {requests} requests to new containers")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        hosts::testing::{Behaviour, behaviour, fails, prints},
        rollout::testing::{FakeHost, TestSlot, balancers},
    };

    #[test]
    fn one_error_among_the_first_few_is_no_rate() {
        let rate = Percentage::of_hundredths(200);
        let all = |requests, errors| too_many(Responses { requests, errors }, rate);
        assert_eq!(all(2, 2), None);
        assert_eq!(all(1000, 20), None);
        let told = "balancers counted 3 answers with 5xx in 3 requests to new containers, over `max_error_rate` (2%)";
        assert_eq!(all(3, 3).as_deref(), Some(told));
        assert!(all(1000, 21).is_some());
    }

    /// A balancer that prints these one after the other; the last one for ever, and nothing is a failure.
    fn counts(answers: &[&'static str]) -> Behaviour {
        let mut answers = answers.to_vec();
        answers.reverse();
        let answers = Mutex::new(answers);
        behaviour().script(move |_| {
            let mut answers = answers.lock().expect("not poisoned");
            match answers.pop() {
                None | Some("") => fails(1, "no socket\n"),
                Some(answer) => prints(answer),
            }
        })
    }

    async fn watched(answers: &[&'static str]) -> (TestSlot, Counts) {
        let host = FakeHost::default().has("web-r2", true).at_port(32769);
        let drained = "[drain]\nbalancers = [\"lb\"]\n";
        let slot = TestSlot::new(drained, vec![host.behaviour(), counts(answers)]).await;
        slot.look_again(Side::New).await;
        let lb = slot.lab.environment.recipe("lb").expect("it").clone();
        let mut counts = Counts {
            rate: Percentage::of_hundredths(100),
            balancers: balancers(&slot.lab, &lb),
            slots: Vec::new(),
            last: Vec::new(),
            seen: HashMap::new(),
        };
        counts.last = counts.ask().await.expect("an answer");
        (slot, counts)
    }

    #[tokio::test]
    async fn what_was_counted_before_does_not_count_and_a_restart_of_the_balancer_loses_nothing() {
        let answers = [
            "127.0.0.1:32769 50 40\n127.0.0.1:32768 70 0\n",
            "127.0.0.1:32769 60 41\n127.0.0.1:32768 90 9\n",
            "127.0.0.1:32769 5 2\n",
        ];
        let (slot, mut counts) = watched(&answers).await;
        counts.slots = vec![Arc::new(slot.placement)];
        let count = |requests, errors| Ok(Responses { requests, errors });
        assert_eq!(counts.count().await, count(10, 1));
        assert_eq!(counts.count().await, count(15, 3));
    }

    #[tokio::test]
    async fn at_a_fixed_port_what_the_old_one_has_answered_is_not_the_new_ones() {
        let answers = [
            "127.0.0.1:32769 50 5\n",
            "127.0.0.1:32769 900 300\n",
            "127.0.0.1:32769 910 301\n",
        ];
        let (slot, mut counts) = watched(&answers).await;
        let count = |requests, errors| Ok(Responses { requests, errors });
        // The old one serves on, and the new one is yet to come.
        assert_eq!(counts.count().await, count(0, 0));
        counts.slots = vec![Arc::new(slot.placement)];
        assert_eq!(counts.count().await, count(10, 1));
    }

    #[tokio::test]
    async fn no_answer_is_not_zero_errors() {
        let (_slot, mut counts) = watched(&["127.0.0.1:1 0 0\n", "", "what?\n"]).await;
        let cannot = "`lb` on `host-2` cannot say how many errors it has counted: ";
        let failed = format!("{cannot}`errors` failed with status 1: no socket");
        assert_eq!(counts.count().await, Err(failed));
        let nonsense = format!("{cannot}`what?` is not `ADDRESS:PORT REQUESTS ERRORS`");
        assert_eq!(counts.count().await, Err(nonsense));
    }
}
