//! The TCP connection to a host that has one address or several.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{
    net::{TcpStream, lookup_host},
    time::sleep,
};

use super::{countdown::Countdown, endpoint::Endpoint, error::ConnectError, stream::PromptTcp};

/// How long an address may keep the next one waiting: RFC 8305's "Connection Attempt Delay".
const HEAD_START: Duration = Duration::from_millis(250);

/// Opens a TCP connection to one of the addresses of a name.
pub(super) async fn dial(
    endpoint: &Endpoint,
    countdown: &mut Countdown,
) -> Result<PromptTcp, ConnectError> {
    let resolve = |source| ConnectError::Resolve {
        endpoint: Box::new(endpoint.clone()),
        source,
    };
    let target = (endpoint.address.as_str(), endpoint.port);
    let addresses = countdown
        .run("its name to be resolved", lookup_host(target))
        .await?
        .map_err(resolve)?;
    match countdown
        .run("a TCP connection", first_of(addresses, TcpStream::connect))
        .await?
    {
        Ok(stream) => Ok(PromptTcp::new(stream)),
        Err(Some(source)) => Err(ConnectError::Connect {
            endpoint: Box::new(endpoint.clone()),
            source,
        }),
        Err(None) => Err(resolve(io::Error::new(
            io::ErrorKind::NotFound,
            "no address",
        ))),
    }
}

/// The first connection that comes about, or the last error. Addresses have their turn in order, the next
/// one as soon as the one before has failed or has been silent for a while: one that drops packets, as
/// IPv6 often does where it half works, would use up the whole connect timeout.
async fn first_of<T, F: Future<Output = io::Result<T>>>(
    addresses: impl Iterator<Item = SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Option<io::Error>> {
    let mut addresses = addresses.peekable();
    let mut attempts = FuturesUnordered::new();
    let mut failure = None;
    loop {
        attempts.extend(addresses.next().map(&connect));
        tokio::select! {
            biased;
            Some(result) = attempts.next() => match result {
                Ok(connection) => return Ok(connection),
                Err(error) => failure = Some(error),
            },
            () = sleep(HEAD_START), if addresses.peek().is_some() => {}
            else => return Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    /// What becomes of an attempt, after so many milliseconds.
    #[derive(Clone, Copy)]
    enum Fate {
        Connects(u64),
        Fails(u64),
        IsSilent,
    }

    /// The address that was connected to (from 0) or none, and after how many milliseconds.
    async fn race(fates: &[Fate]) -> (Result<usize, Option<String>>, u128) {
        let addresses = (0..).map(|port| SocketAddr::from(([192, 0, 2, 1], port)));
        let begun = Instant::now();
        let connect = |address: SocketAddr| async move {
            let index = usize::from(address.port());
            match fates[index] {
                Fate::Connects(after) => sleep(Duration::from_millis(after)).await,
                Fate::Fails(after) => {
                    sleep(Duration::from_millis(after)).await;
                    return Err(io::Error::other(format!("{index} failed")));
                }
                Fate::IsSilent => pending().await,
            }
            Ok(index)
        };
        let result = first_of(addresses.take(fates.len()), connect).await;
        let result = result.map_err(|error| error.map(|error| error.to_string()));
        (result, begun.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_costs_no_more_than_its_head_start() {
        use Fate::{Connects, Fails, IsSilent};
        for (fates, index, after) in [
            (&[Connects(3)][..], 0, 3),
            (&[Connects(240), Connects(1)], 0, 240),
            (&[IsSilent, Connects(10)], 1, 260),
            (&[IsSilent, IsSilent, Connects(10)], 2, 510),
            (&[Fails(20), Connects(10)], 1, 30),
            (&[IsSilent, Fails(20), Connects(10)], 2, 280),
            // One that is slow goes on beside the next.
            (&[Connects(400), IsSilent], 0, 400),
            (&[Connects(400), Fails(5)], 0, 400),
        ] {
            assert_eq!(race(fates).await, (Ok(index), after));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_error_is_told_when_no_address_is_left() {
        use Fate::Fails;
        let told = |text: &str| Err(Some(text.to_owned()));
        assert_eq!(race(&[Fails(5), Fails(5)]).await, (told("1 failed"), 10));
        assert_eq!(race(&[Fails(400), Fails(5)]).await, (told("0 failed"), 400));
        assert_eq!(race(&[]).await, (Err(None), 0));
    }
}
