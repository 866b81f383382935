//! The errors that balancers have counted for the new containers, against `max_error_rate`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    balancers::Upstreams,
    event::{EventKind, Events},
    facts::responses::Responses,
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

/// A look at the balancers' counts, over and over.
pub struct ErrorWatch {
    stop: watch::Sender<bool>,
    exceeded: watch::Receiver<Option<String>>,
    looking: tokio::task::JoinHandle<()>,
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
            before: Vec::new(),
            seen: HashMap::new(),
        };
        counts.before = counts.ask().await?;
        let (stop, stopped) = watch::channel(false);
        let (sender, exceeded) = watch::channel(None);
        let looking = tokio::spawn(counts.look(stopped, sender, events));
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

    /// Looks a last time; why the rollout is not to stand, if there are too many.
    pub async fn finish(self) -> Option<String> {
        let _ = self.stop.send(true);
        let _ = self.looking.await;
        self.exceeded.borrow().clone()
    }
}

/// What balancers have counted.
struct Counts {
    rate: Percentage,
    balancers: Vec<Upstreams>,
    slots: Vec<Arc<Placement>>,
    /// What each balancer printed before anything was changed.
    before: Vec<String>,
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
            let is_last = tokio::time::timeout(POLL, stopped.wait_for(|it| *it))
                .await
                .is_ok();
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
                Err(error) => {
                    failures += 1;
                    (failures >= FAILURES || is_last).then_some(error)
                }
            };
            if reason.is_some() {
                let _ = exceeded.send(reason);
                return;
            }
            if is_last {
                return;
            }
        }
    }

    /// All that has come to new containers so far.
    async fn count(&mut self) -> Result<Responses, String> {
        let printed = self.ask().await?;
        for slot in &self.slots {
            for backend in slot.backends(Side::New).await {
                for (_, port) in &backend.ports {
                    let endpoint = HostAndPort::new(backend.address(), *port).to_string();
                    for (index, printed) in printed.iter().enumerate() {
                        let read = |printed: &str| {
                            let read = Responses::read(printed, backend.address(), *port);
                            read.map_err(|error| cannot_say(&self.balancers[index], &error))
                        };
                        let now = read(printed)?;
                        let key = (index, endpoint.clone());
                        let (last, all) = match self.seen.get(&key) {
                            Some(seen) => *seen,
                            None => (read(&self.before[index])?, Responses::default()),
                        };
                        self.seen.insert(key, (now, all + now.since(last)));
                    }
                }
            }
        }
        let all = self.seen.values().map(|(_, all)| *all);
        Ok(all.fold(Responses::default(), |all, one| all + one))
    }

    /// What each balancer prints now.
    async fn ask(&self) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        for balancer in &self.balancers {
            let asked = balancer.errors().await;
            let why = |error: HostError| cannot_say(balancer, &text::chain(&error).join(": "));
            let printed = asked.map_err(why)?;
            Responses::read(&printed, "", 0).map_err(|error| cannot_say(balancer, &error))?;
            all.push(printed);
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
            before: Vec::new(),
            seen: HashMap::new(),
        };
        counts.before = counts.ask().await.expect("an answer");
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
    async fn no_answer_is_not_zero_errors() {
        let (_slot, mut counts) = watched(&["127.0.0.1:1 0 0\n", "", "what?\n"]).await;
        let cannot = "`lb` on `host-2` cannot say how many errors it has counted: ";
        let failed = format!("{cannot}`errors` failed with status 1: no socket");
        assert_eq!(counts.count().await, Err(failed));
        let nonsense = format!("{cannot}`what?` is not `ADDRESS:PORT REQUESTS ERRORS`");
        assert_eq!(counts.count().await, Err(nonsense));
    }
}
