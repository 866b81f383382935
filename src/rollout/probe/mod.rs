//! Proof that a rollout loses nothing: a steady stream of requests through the balancer for its length.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::{Method, Uri};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

use crate::{
    event::{EventKind, Events, ProbeSummary},
    hosts::Reached,
    http,
    model::Probe,
    text,
};

/// How many requests are sent before the rollout, to see whether the service answers at all.
const BASELINE: usize = 3;

/// How many requests are under way at most. A balancer that answers late shall be seen, not buried; and what
/// goes through a host takes no place of the session's channels, which the rollout's own gates need, so
/// nothing else bounds it.
const UNDER_WAY: usize = 64;

/// A running stream of requests.
pub struct ProbeWatch {
    probe: Probe,
    tally: Arc<Mutex<Tally>>,
    failed: watch::Receiver<u64>,
    stop: watch::Sender<bool>,
    sending: tokio::task::JoinHandle<()>,
    enforced: bool,
    told: bool,
}

/// What became of the requests so far.
#[derive(Debug, Default)]
struct Tally {
    took: Vec<Duration>,
    requests: u64,
    failed: u64,
    first_failure: Option<String>,
}

impl Tally {
    fn add(&mut self, took: Duration, result: Result<(), String>) {
        self.requests += 1;
        self.took.push(took);
        if let Err(reason) = result {
            self.failed += 1;
            self.first_failure.get_or_insert(reason);
        }
    }

    fn summary(&self) -> ProbeSummary {
        let mut took = self.took.clone();
        took.sort_unstable();
        // The nearest-rank percentile: the smallest value that 99 of 100 do not exceed.
        let rank = (took.len() * 99).div_ceil(100).saturating_sub(1);
        ProbeSummary {
            requests: self.requests,
            failed: self.failed,
            slowest: took.last().copied().unwrap_or_default(),
            p99: took.get(rank).copied().unwrap_or_default(),
            first_failure: self.first_failure.clone(),
        }
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    // A panic while it was held cannot leave half an addition that matters more than the count itself.
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProbeWatch {
    /// Starts to send. `through` is the host whose session carries the requests; without it they go from
    /// here.
    ///
    /// Whatever fails before the rollout has touched anything is not the rollout's loss: a service that is
    /// down must be deployable, and a deployer may have no way to the balancer. Then requests are counted,
    /// but the budget holds nothing up.
    pub async fn start(
        probe: Probe,
        through: Option<Reached>,
        recipe: String,
        events: Events,
    ) -> Result<Self, String> {
        let target = Target::parse(&probe.url)?;
        let mut enforced = true;
        for _ in 0..BASELINE {
            if let Err(reason) = target.ask(&probe, through.as_ref()).await {
                enforced = false;
                events.send(EventKind::Warning {
                    host: None,
                    message: format!("probe requests fail before anything is changed ({reason}), so their budget is not enforced"),
                    hint: Some(format!("curl {}", probe.url)),
                });
                break;
            }
        }
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (failed_sender, failed) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let sender = Sender {
            recipe,
            rate: probe.rate.max(1).into(),
            tally: tally.clone(),
            failed: failed_sender,
            events,
        };
        let settings = probe.clone();
        let sending = tokio::spawn(sender.send(stopped, move || {
            let (target, probe, through) = (target.clone(), settings.clone(), through.clone());
            async move { target.ask(&probe, through.as_ref()).await }
        }));
        Ok(Self {
            probe,
            tally,
            failed,
            stop,
            sending,
            enforced,
            told: false,
        })
    }

    /// Waits until more requests have failed than the budget allows, and says so. Only once.
    pub async fn over_budget(&mut self) -> String {
        let budget = self.probe.budget;
        if self.told
            || !self.enforced
            || self
                .failed
                .wait_for(|failed| *failed > budget)
                .await
                .is_err()
        {
            std::future::pending::<()>().await;
        }
        self.told = true;
        let summary = lock(&self.tally).summary();
        let why = summary.first_failure.unwrap_or_default();
        format!(
            "{} of {} probe requests failed (budget {budget}): {why}",
            summary.failed, summary.requests
        )
    }

    /// Stops sending, waits for the requests under way and returns what became of all.
    pub async fn finish(self) -> (ProbeSummary, bool) {
        let _ = self.stop.send(true);
        let _ = self.sending.await;
        let summary = lock(&self.tally).summary();
        let within = !self.enforced || summary.failed <= self.probe.budget;
        (summary, within)
    }
}

/// Sends requests at a steady rate and counts what becomes of them.
struct Sender {
    recipe: String,
    rate: u32,
    tally: Arc<Mutex<Tally>>,
    failed: watch::Sender<u64>,
    events: Events,
}

impl Sender {
    /// Sends until it is `stopped`. A request that would be one too many is not sent: nothing is known of
    /// it, so it counts neither as a request nor as a failure, and the rate is lower for as long.
    async fn send<A>(self, mut stopped: watch::Receiver<bool>, ask: impl Fn() -> A)
    where
        A: Future<Output = Result<(), String>> + Send + 'static,
    {
        let mut clock = tokio::time::interval(Duration::from_secs(1) / self.rate);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut told = Instant::now();
        let mut told_of_bound = false;
        let mut requests = JoinSet::new();
        loop {
            tokio::select! {
                _ = clock.tick() => {}
                _ = stopped.wait_for(|stop| *stop) => break,
            }
            while let Some(Ok((took, result))) = requests.try_join_next() {
                lock(&self.tally).add(took, result);
            }
            if requests.len() < UNDER_WAY {
                let asked = ask();
                requests.spawn(async move {
                    let began = Instant::now();
                    let result = asked.await;
                    (began.elapsed(), result)
                });
            } else if !std::mem::replace(&mut told_of_bound, true) {
                self.tell_of_bound();
            }
            self.tell_failures();
            if told.elapsed() >= Duration::from_secs(1) {
                told = Instant::now();
                self.tell();
            }
        }
        // Those under way are waited for: each has a deadline of its own.
        while let Some(Ok((took, result))) = requests.join_next().await {
            lock(&self.tally).add(took, result);
        }
        self.tell_failures();
        self.tell();
    }

    fn tell_failures(&self) {
        let failures = lock(&self.tally).failed;
        self.failed
            .send_if_modified(|failed| std::mem::replace(failed, failures) != failures);
    }

    fn tell(&self) {
        let summary = lock(&self.tally).summary();
        self.events.send(EventKind::Probe {
            recipe: self.recipe.clone(),
            summary,
        });
    }

    fn tell_of_bound(&self) {
        self.events.send(EventKind::Warning {
            host: None,
            message: format!(
                "{UNDER_WAY} probe requests of `{}` are unanswered at once, so fewer than {} a second are sent",
                self.recipe, self.rate
            ),
            hint: None,
        });
    }
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
    path: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url
            .parse()
            .map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        if uri.scheme_str() != Some("http") {
            return Err(format!("`{url}` is not an http:// URL"));
        }
        let host = uri
            .host()
            .ok_or_else(|| format!("`{url}` names no host"))?
            .to_owned();
        let path = uri
            .path_and_query()
            .map_or("/", hyper::http::uri::PathAndQuery::as_str)
            .to_owned();
        Ok(Self {
            host,
            port: uri.port_u16().unwrap_or(80),
            path,
        })
    }

    async fn ask(&self, probe: &Probe, through: Option<&Reached>) -> Result<(), String> {
        let Self { host, port, path } = self;
        let authority = format!("{host}:{port}");
        let request = async {
            let because = |error: &dyn std::error::Error| text::chain(error).join(": ");
            let answer = if let Some(reached) = through {
                let stream = reached
                    .session
                    .tunnel_beside(host, *port, probe.timeout)
                    .await
                    .map_err(|error| because(&error))?;
                http::request(stream, &authority, Method::GET, path, None, probe.timeout).await
            } else {
                let stream = tokio::net::TcpStream::connect((host.as_str(), *port))
                    .await
                    .map_err(|error| because(&error))?;
                http::request(stream, &authority, Method::GET, path, None, probe.timeout).await
            };
            let answer = answer.map_err(|error| because(&error))?;
            let fine = probe
                .status
                .map_or((200..400).contains(&answer.status), |status| {
                    status == answer.status
                });
            if fine {
                Ok(())
            } else {
                Err(format!("GET {path} answered {}", answer.status))
            }
        };
        tokio::time::timeout(probe.timeout, request)
            .await
            .unwrap_or_else(|_| {
                Err(format!(
                    "no answer within {}",
                    text::duration(probe.timeout)
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let target = |host: &str, port, path: &str| {
            Ok(Target {
                host: host.into(),
                port,
                path: path.into(),
            })
        };
        assert_eq!(
            Target::parse("http://10.0.0.3/"),
            target("10.0.0.3", 80, "/")
        );
        assert_eq!(
            Target::parse("http://lb:8080/health?x=1"),
            target("lb", 8080, "/health?x=1")
        );
        for wrong in ["https://lb/", "lb", "http://", ""] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_tally_knows_the_slowest_the_percentile_and_the_first_failure() {
        let mut tally = Tally::default();
        for milliseconds in 1..=100 {
            let result = if milliseconds % 50 == 0 {
                Err(format!("failure {milliseconds}"))
            } else {
                Ok(())
            };
            tally.add(Duration::from_millis(milliseconds), result);
        }
        let summary = tally.summary();
        assert_eq!((summary.requests, summary.failed), (100, 2));
        assert_eq!(
            (summary.slowest, summary.p99),
            (Duration::from_millis(100), Duration::from_millis(99))
        );
        assert_eq!(summary.first_failure.as_deref(), Some("failure 50"));
        assert_eq!(Tally::default().summary(), ProbeSummary::default());
    }

    /// Sends for a simulated minute, each request being answered after so long: what came of them, the most
    /// that were under way at once, and the warnings.
    async fn a_minute_of_requests(
        rate: u32,
        answered_after: Duration,
    ) -> (ProbeSummary, usize, Vec<String>) {
        let (events, mut told) = Events::channel();
        let tally = Arc::<Mutex<Tally>>::default();
        let (under_way, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (stop, stopped) = watch::channel(false);
        let sender = Sender {
            recipe: "web".into(),
            rate,
            tally: tally.clone(),
            failed: watch::channel(0).0,
            events,
        };
        let highest = most.clone();
        let sending = tokio::spawn(sender.send(stopped, move || {
            let (under_way, highest) = (under_way.clone(), highest.clone());
            async move {
                let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                highest.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(answered_after).await;
                under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }));
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.send(true).expect("it listens");
        sending.await.expect("it ends");
        let mut warnings = Vec::new();
        while let Ok(event) = told.try_recv() {
            if let EventKind::Warning { message, .. } = event.kind {
                warnings.push(message);
            }
        }
        let summary = lock(&tally).summary();
        (summary, most.load(Ordering::SeqCst), warnings)
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_keeps_up_gets_the_whole_rate() {
        let (summary, most, warnings) = a_minute_of_requests(20, Duration::from_millis(10)).await;
        assert!((1200..=1201).contains(&summary.requests), "{summary:?}");
        assert_eq!((summary.failed, most), (0, 1));
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_be_one_too_many_is_not_sent_and_has_not_failed() {
        // 20 a second, answered after 10 s, would be 200 under way.
        let (summary, most, warnings) = a_minute_of_requests(20, Duration::from_secs(10)).await;
        assert_eq!(most, UNDER_WAY);
        let rounds = 6 * UNDER_WAY as u64;
        assert!(
            (rounds..=rounds + UNDER_WAY as u64).contains(&summary.requests),
            "{summary:?}"
        );
        assert_eq!((summary.failed, summary.first_failure), (0, None));
        assert_eq!(
            warnings,
            [
                "64 probe requests of `web` are unanswered at once, so fewer than 20 a second are sent"
            ]
        );
    }
}
