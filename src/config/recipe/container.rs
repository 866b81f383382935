//! `[container]`.

use super::super::{
    inventory::SecretSection,
    section::section,
    values::{
        DurationValue, Entries, EnvironmentVariables, Image, ImageSource, Instances, Labels, Line,
        PublishedPorts, RestartPolicy, RunOption, Text,
    },
};
use crate::diagnostic::Located;

/// The keys of `[container]`. `ContainerSection` and `ContainerSpec` are both made from this list; what a key
/// is for docker is said once more, in `docker::run`.
macro_rules! container_keys {
    ($make:ident $name:ident $($more:tt)*) => {
        $make! {
            /// What `docker run` is told, in docker's words.
            "`[container]`" $name in spec_hash {
                /// The image: `[REGISTRY/]NAME[:TAG]`.
                #[needed = "needed"]
                #[hash(always)]
                image: Image => String,
                /// Where the image comes from: hosts pull it, or it is sent from the deployer's Docker over SSH.
                #[default = "`[images] source`"]
                #[hash(no)]
                source: ImageSource => ImageSource,
                /// `--platform`: which of an image's platforms is pulled and runs. Without it, the host's
                /// own.
                #[docker(["--platform"] = "\"linux/arm64\"")]
                platform: Line => Option<String>,
                /// Words after the image.
                command: Vec<Located<Text>> => Vec<String>,
                /// `--entrypoint`.
                #[docker(["--entrypoint"] = "\"…\"")]
                entrypoint: Line => Option<String>,
                /// Environment variables: strings, plain numbers (not `0xFF` or `1_000`), booleans.
                #[docker(["--env", "-e", "--env-file"] = "{ NAME = \"value\" }")]
                env: EnvironmentVariables => BTreeMap<String, String>,
                /// Environment variables whose values come from elsewhere at deploy time and are kept nowhere.
                #[hash(keyed)]
                secrets: Entries<SecretSection> => SecretNames,
                /// Published ports: `[IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`; ranges such as `8000-8009:8000-8009`.
                /// With `auto` as its host port, each container gets a free one of `[ports] range`, and keeps it.
                #[docker(["--publish", "-p"] = "[\"8080:80\"]")]
                publish: PublishedPorts => Vec<Publish>,
                /// Publish every exposed port at any free host port.
                #[default(false)]
                #[docker(["--publish-all", "-P"] = "true")]
                publish_all: bool => bool,
                /// `--volume`: `[NAME:|/HOST:]/CONTAINER[:MODE]`.
                #[docker(["--volume", "-v"] = "[\"/host:/container\"]")]
                volumes: Vec<Located<Line>> => Vec<String>,
                /// `--network`.
                #[docker(["--network", "--net"] = "\"…\"")]
                network: Line => Option<String>,
                /// `--restart`: `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`.
                #[docker(["--restart"] = "\"…\"")]
                restart: RestartPolicy => Option<String>,
                /// `--user`.
                #[docker(["--user", "-u"] = "\"…\"")]
                user: Line => Option<String>,
                /// `--hostname`.
                #[docker(["--hostname", "-h"] = "\"…\"")]
                hostname: Line => Option<String>,
                /// `--workdir`.
                #[docker(["--workdir", "-w"] = "\"/…\"")]
                workdir: Line => Option<String>,
                /// Labels; those that begin with `shipit.` are taken.
                #[docker(["--label", "-l"] = "{ NAME = \"value\" }")]
                labels: Labels => BTreeMap<String, String>,
                /// More arguments for `docker run`, one string each: `["--memory", "512m"]`. Options that have a
                /// key here are refused, and so are `--name`, `--rm`, `--detach`, `--attach` and `--help`.
                options: Vec<Located<RunOption>> => Vec<String>,
                /// How long `docker stop` waits between SIGTERM and SIGKILL.
                #[default(DurationValue::seconds(30))]
                #[hash(always)]
                #[docker(["--stop-timeout"] = "\"30s\"")]
                stop_timeout: DurationValue => Duration,
            }
            beside {
                /// How many equal containers run on each host: a number from 1, or a template of one, such as
                /// `"{{web_instances}}"`.
                #[default(Instances::Number(1))]
                #[hash(no)]
                instances: Instances,
                /// Whether it is an accessory, such as a database: once it serves, only a deploy that names it changes
                /// it, and no failure of others takes it back.
                #[default(false)]
                #[hash(no)]
                accessory: bool,
            }
            $($more)*
        }
    };
}
pub(crate) use container_keys;

container_keys!(section ContainerSection);
