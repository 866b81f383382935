//! `[drain]`, `[balancer]` and `[probe]`.

use super::super::{
    section::section,
    values::{
        CaFile, DurationValue, HostHeader, HttpHeaders, HttpMethod, Line, Percentage, Script,
    },
};
use crate::diagnostic::Located;

section! {
    /// How traffic is taken away from a container before it is stopped.
    "`[drain]`" DrainSection {
        /// The recipes of the balancers that must have stopped routing to it. They come up before it, as if it
        /// required them.
        balancers: Vec<Located<String>>,
        /// A command on the container's host that makes the app leave by itself, for balancers that follow a health
        /// check of it. No Consul is asked then.
        run: Script,
        /// The command that takes back what `run` did. It also runs where there is nothing to take back.
        undo: Script,
        /// A pause after that, for balancers whose old workers still finish, or that cannot tell.
        #[default(DurationValue::seconds(1))]
        wait: DurationValue,
        /// The longest to wait for its connections to end.
        #[default(DurationValue::seconds(30))]
        timeout: DurationValue,
    }
}

section! {
    /// How a load balancer learns of containers, and how it tells what it routes to. Without `backends` it follows
    /// Consul.
    "`[balancer]`" BalancerSection {
        /// A command that prints every `ADDRESS:PORT` that the balancer routes to now. Where it cannot print that,
        /// every recipe that drains through it needs `[drain] wait`.
        upstreams: Script,
        /// The list of backends that shipit writes for it: no Consul is needed then.
        backends: BackendsSection,
        /// A command that tells it of one backend, for balancers with an API of their own: no Consul is needed then. It
        /// can name `backend.name`, `.address`, `.port`, `.endpoint`, `.host` and `.weight`, and runs on each of the balancer's
        /// hosts. It must be right also where the balancer has the backend already.
        add: Script,
        /// The command that makes it send no further request to a backend. Without it, `remove` does that.
        drain: Script,
        /// The command that takes a backend away, once its container has stopped. It must be right also where the
        /// balancer does not have it.
        remove: Script,
        /// The command that gives a backend `backend.weight`, 1 to 100, once the canaries need no smaller share. `add` must
        /// name it too: that is what gives canaries theirs.
        weight: Script,
        /// A command that prints a line `ADDRESS:PORT REQUESTS ERRORS` for each container: how many requests the
        /// balancer has sent there so far, and how many of them were answered with 5xx.
        errors: Script,
        /// Whether `add`, `drain`, `remove` and `weight` run on the deployer's machine, once for each of the balancer's hosts.
        #[default(false)]
        local: bool,
    }
}

section! {
    /// A file with the containers that a balancer routes to, which shipit writes whenever one comes or goes.
    "`[balancer.backends]`" BackendsSection as "table", "tables" {
        /// The file's template, from the project's root. It can name `backends.RECIPE` and `draining.RECIPE`.
        #[needed = "needed"]
        template: Line,
        /// The file's absolute path, in the balancer's container.
        #[needed = "needed"]
        to: Line,
        /// A command that must exit 0 once the file is in place, before it takes effect; else the file that was there
        /// before is put back.
        check: Script,
        /// The command that makes the balancer read the file. When it fails, the file that was there before is put back.
        #[needed = "needed"]
        reload: Script,
        /// Whether the file, `check` and `reload` are on the balancer's host and not in its container. So they are for
        /// a recipe without a container.
        #[default(false)]
        on_host: bool,
    }
}

section! {
    /// A steady stream of requests for the length of a rollout.
    "`[probe]`" ProbeSection {
        /// The URL, `http://…` or `https://…`. Redirects are not followed.
        #[needed = "needed"]
        url: Line,
        /// Requests a second.
        #[default(20)]
        #[range(1.., "no requests a second")]
        rate: u16,
        /// The status that each must answer.
        #[default = "any from 200 to 399"]
        #[range(100..=599, "`{}` is not an HTTP status")]
        status: u16,
        /// The `Host` header of the requests: `HOST[:PORT]`.
        #[default = "the one in the URL"]
        host: HostHeader,
        /// Further headers of the request, as a table.
        headers: HttpHeaders,
        /// The method of the request.
        #[default = "`GET`"]
        method: HttpMethod,
        /// A text that the body of the answer must have in it.
        body: Line,
        /// A file (PEM) with the authorities that are trusted, instead of those of the deployer's machine.
        ca_file: CaFile,
        /// The name that the server's certificate must have.
        #[default = "the name in `host`, else the one in the URL"]
        server_name: Line,
        /// Whether any certificate will do. Then nobody knows who answers.
        #[default(false)]
        insecure: bool,
        /// How many may fail before the rollout stops.
        #[default(0)]
        budget: u64,
        /// How many of the answers that new containers give may be 5xx, as balancers with `errors` have counted them,
        /// before the rollout stops: `"1%"`. Fewer than 100 requests count as 100.
        max_error_rate: Percentage,
        /// The longest that one request may take.
        #[default(DurationValue::seconds(5))]
        #[range(1.., "no time to answer")]
        timeout: DurationValue,
        /// Send them through the SSH connection of this host.
        #[default = "from the deployer"]
        through: String,
    }
}
