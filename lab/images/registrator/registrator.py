#!/usr/bin/env python3
"""Registers every published port of every container of this host in Consul.

Keeps the contract of gliderlabs/registrator v7 (arguments, SERVICE_* variables, service ids), built
the other way round: a docker event only says that something changed, and `sync` then makes Consul
agree with what runs. So a missed event, or Consul being away, heals with the next sync.
"""

import argparse
import http.client
import json
import os
import queue
import re
import signal
import socket
import sys
import threading
import time
import urllib.parse

DOCKER_SOCKET = "/tmp/docker.sock"
HOSTNAME = socket.gethostname()
OUR_ID = re.compile(r"^(.+?):([a-zA-Z0-9][a-zA-Z0-9_.-]+):[0-9]+(?::udp)?$")
TIMEOUT = 5  # seconds any one request to Docker or Consul may take
RETRY = 1  # seconds until the next sync after one that failed


def log(*words):
    print(time.strftime("%Y/%m/%d %H:%M:%S"), *words, flush=True)


class DockerConnection(http.client.HTTPConnection):
    def __init__(self, timeout=TIMEOUT):
        super().__init__("docker", timeout=timeout)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(DOCKER_SOCKET)


class HttpError(OSError):
    def __init__(self, status, text):
        super().__init__(f"{status} {text.strip()}")
        self.status = status


def call(connection, method, path, body=None, **headers):
    """One request, its JSON answer (None if there is none)."""
    try:
        headers["Content-Type"] = "application/json"
        connection.request(method, path, body and json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read().decode()
    except http.client.HTTPException as error:
        raise OSError(f"{method} {path}: {error!r}") from error
    finally:
        connection.close()
    if response.status >= 400:
        raise HttpError(response.status, text)
    return json.loads(text) if text.strip() else None


def docker(path):
    return call(DockerConnection(), "GET", path)


class Consul:
    def __init__(self, address):
        self.address = address
        token = os.environ.get("CONSUL_HTTP_TOKEN")
        self.headers = {"X-Consul-Token": token} if token else {}

    def __call__(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT)
        return call(connection, method, "/v1/" + path, body, **self.headers)

    def register(self, service):
        self("PUT", "agent/service/register", service)

    def deregister(self, service_id):
        self("PUT", "agent/service/deregister/" + urllib.parse.quote(service_id))


# --- From a container to the services it offers ---------------------------------------------------


def split_tags(*parts):
    """Tags are separated by commas; `\\,` is a comma in a tag."""
    tags = [tag for part in parts for tag in re.split(r"(?<!\\),", part)]
    return [tag.replace("\\,", ",") for tag in tags if tag]


def metadata(config, port):
    """SERVICE_* of the environment and labels, and which of them name this very port."""
    values = dict(config.get("Labels") or {})
    values.update(line.split("=", 1) for line in config.get("Env") or [] if "=" in line)
    general, for_port = {}, {}
    for key, value in values.items():
        if not key.startswith("SERVICE_"):
            continue
        key = key[len("SERVICE_"):].lower()
        number, _, rest = key.partition("_")
        if number.isdigit() and rest:
            if number == port:
                for_port[rest] = value
        else:
            general[key] = value
    return {**general, **for_port}, for_port


def check(data, ip, port, container_id, exposed):
    if data.get("check_http"):
        result = {"HTTP": f"http://{ip}:{port}{data['check_http']}"}
    elif data.get("check_https"):
        result = {"HTTP": f"https://{ip}:{port}{data['check_https']}"}
    elif data.get("check_cmd"):
        result = {"Args": ["check-cmd", container_id[:12], exposed, data["check_cmd"]]}
    elif data.get("check_script"):
        script = data["check_script"].replace("$SERVICE_IP", ip).replace("$SERVICE_PORT", str(port))
        result = {"Args": ["sh", "-c", script]}
    elif data.get("check_ttl"):
        result = {"TTL": data["check_ttl"]}
    elif data.get("check_tcp"):
        result = {"TCP": f"{ip}:{port}"}
    else:
        return None
    if "TTL" not in result:
        result["Interval"] = data.get("check_interval") or "10s"
    if data.get("check_timeout"):
        result["Timeout"] = data["check_timeout"]
    if "HTTP" in result and data.get("check_http_method"):
        result["Method"] = data["check_http_method"]
    if data.get("check_initial_status"):
        result["Status"] = data["check_initial_status"]
    if data.get("check_deregister_after"):
        result["DeregisterCriticalServiceAfter"] = data["check_deregister_after"]
    return result


def ports_of(container):
    """{"5000/tcp": (ip, port) or None}. On the host's network an exposed port is a published one."""
    ports = {key: ("0.0.0.0", key.split("/")[0]) for key in container["Config"].get("ExposedPorts") or {}}
    for key, bindings in (container["NetworkSettings"].get("Ports") or {}).items():
        ports[key] = (bindings[0]["HostIp"], bindings[0]["HostPort"]) if bindings else None
    return ports


def internal_address(container):
    settings = container["NetworkSettings"]
    networks = [network["IPAddress"] for network in (settings.get("Networks") or {}).values()]
    return settings.get("IPAddress") or next(filter(None, networks), "")


def services_of(container, options):
    """What this container offers, as Consul's registrations."""
    config = container["Config"]
    name = container["Name"].lstrip("/")
    ports = ports_of(container)
    if not options.internal:
        ports = {key: address for key, address in ports.items() if address}

    for key, address in sorted(ports.items()):
        exposed, _, protocol = key.partition("/")
        if options.internal:
            ip, port = internal_address(container), exposed
        else:
            ip, port = options.ip or address[0], address[1]
        if options.useIpFromLabel and (config.get("Labels") or {}).get(options.useIpFromLabel):
            ip = config["Labels"][options.useIpFromLabel].rpartition("/")[0] or config["Labels"][options.useIpFromLabel]

        data, for_port = metadata(config, exposed)
        if data.get("ignore") or (options.explicit and not data.get("name")):
            continue
        service_name = data.get("name") or config["Image"].rpartition("/")[2].split("@")[0].split(":")[0]
        if len(ports) > 1 and not for_port.get("name"):
            service_name += "-" + exposed
        udp = protocol == "udp"
        service = {
            "ID": data.get("id") or f"{HOSTNAME}:{name}:{exposed}" + (":udp" if udp else ""),
            "Name": service_name,
            "Address": ip,
            "Port": int(port),
            "Tags": split_tags(data.get("tags", ""), options.tags, "udp" if udp else ""),
        }
        wanted = check(data, ip, int(port), container["Id"], exposed)
        if wanted:
            service["Check"] = wanted
        yield service


# --- Keeping Consul in agreement ------------------------------------------------------------------


class Registrator:
    def __init__(self, options, consul):
        self.options = options
        self.consul = consul
        self.known = {}  # service id -> the registration we last sent
        self.owner = {}  # service id -> id of its container

    def sync(self, resync=False):
        """`resync` sends every registration again and, with -cleanup, removes what is dangling."""
        wanted, owner = {}, {}
        for listed in docker("/containers/json"):
            try:
                container = docker(f"/containers/{listed['Id']}/json")
            except HttpError as error:
                if error.status == 404:  # it went between the two questions
                    continue
                raise
            if container["State"]["Running"]:
                for service in services_of(container, self.options):
                    wanted[service["ID"]] = service
                    owner[service["ID"]] = container["Id"]

        # Registering a service that Consul has keeps its other checks, maintenance mode among them.
        present = self.consul("GET", "agent/services")
        for id, service in wanted.items():
            if resync or self.known.get(id) != service or id not in present:
                self.consul.register(service)
                if self.known.get(id) != service:
                    log("added:", owner[id][:12], id)
                self.known[id], self.owner[id] = service, owner[id]

        for id in [id for id in self.known if id not in wanted]:
            if id in present and self.should_remove(self.owner[id]):
                self.consul.deregister(id)
                present.pop(id)
                log("removed:", self.owner[id][:12], id)
            del self.known[id], self.owner[id]

        if resync and self.options.cleanup:
            for id in present:
                match = OUR_ID.match(id)
                if id not in wanted and match and match[1] == HOSTNAME:
                    log("dangling:", id)
                    self.consul.deregister(id)

    def should_remove(self, container_id):
        if self.options.deregister == "always":
            return True
        try:
            code = docker(f"/containers/{container_id}/json")["State"]["ExitCode"]
        except HttpError as error:
            if error.status == 404:
                return True
            raise
        return code == 0 or code & 128  # ended well, or was told to end


def watch_docker(changes):
    """Puts something into `changes` whenever a container started or died."""
    filters = urllib.parse.quote(json.dumps({"type": ["container"], "event": ["start", "die"]}))
    while True:
        try:
            connection = DockerConnection(timeout=None)
            connection.request("GET", "/events?filters=" + filters)
            response = connection.getresponse()
            changes.put("listening")
            while response.readline():
                changes.put("event")
            raise OSError("the stream of events ended")
        except (OSError, http.client.HTTPException) as error:
            log("docker:", error)
            time.sleep(RETRY)


def run(options):
    registrator = Registrator(options, Consul(options.registry))
    changes = queue.Queue()
    threading.Thread(target=watch_docker, args=[changes], daemon=True).start()

    resync = failed = False
    due = time.monotonic() + (options.resync or float("inf"))
    while True:
        limit = RETRY if failed else max(0, due - time.monotonic())
        try:
            # Missed events are possible whenever listening began, so all is looked at then.
            resync |= changes.get(timeout=min(limit, 3600)) == "listening"
            while not changes.empty():
                resync |= changes.get() == "listening"
        except queue.Empty:
            pass
        if time.monotonic() >= due:
            resync, due = True, time.monotonic() + options.resync
        try:
            registrator.sync(resync)
            if failed:
                log("synced again")
            resync = failed = False
        except (OSError, ValueError) as error:
            if not failed:
                log("sync failed, trying again every second:", error)
            # Consul may have lost what it knew, so everything is sent once more when it is back.
            resync = failed = True


# --- Arguments ------------------------------------------------------------------------------------


def parse(arguments):
    # Go's flags: one dash or two, and a boolean may be given as -flag=true.
    arguments = [re.sub(r"^--(?=\w)", "-", word) for word in arguments]
    arguments = [re.sub(r"^(-(cleanup|internal|explicit))=(1|t|true)$", r"\1", word, flags=re.I) for word in arguments]
    arguments = [word for word in arguments if not re.fullmatch(r"-(cleanup|internal|explicit)=(0|f|false)", word, re.I)]

    parser = argparse.ArgumentParser(prog="registrator", allow_abbrev=False)
    for name in ("cleanup", "internal", "explicit"):
        parser.add_argument("-" + name, action="store_true")
    parser.add_argument("-ip", default="")
    parser.add_argument("-resync", type=int, default=0)
    parser.add_argument("-ttl", type=int, default=0)
    parser.add_argument("-ttl-refresh", type=int, default=0)
    parser.add_argument("-tags", default="")
    parser.add_argument("-deregister", choices=["always", "on-success"], default="always")
    parser.add_argument("-retry-attempts", type=int, default=0)
    parser.add_argument("-retry-interval", type=int, default=2000, help="milliseconds")
    parser.add_argument("-useIpFromLabel", default="")
    parser.add_argument("registry", metavar="consul://HOST:PORT")
    options = parser.parse_args(arguments)

    url = urllib.parse.urlsplit(options.registry)
    if url.scheme != "consul" or url.path not in ("", "/"):
        parser.error(f"unrecognized adapter: {options.registry}")
    options.registry = url.netloc or "127.0.0.1:8500"
    if (options.ttl == 0) != (options.ttl_refresh == 0):
        parser.error("-ttl and -ttl-refresh must be specified together or not at all")
    if options.ttl_refresh and options.ttl <= options.ttl_refresh:
        parser.error("-ttl must be greater than -ttl-refresh")
    return options


def wait_for_consul(options):
    attempt = 0
    while True:
        try:
            leader = Consul(options.registry)("GET", "status/leader")
            return log("consul: current leader", leader)
        except OSError as error:
            log(f"consul at {options.registry} (attempt {attempt} of {options.retry_attempts}):", error)
            if attempt == options.retry_attempts:
                sys.exit(1)
        attempt += 1
        time.sleep(options.retry_interval / 1000)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    options = parse(sys.argv[1:])
    log("Starting registrator for", HOSTNAME)
    wait_for_consul(options)
    run(options)


if __name__ == "__main__":
    main()
