//! A Client of the Omaha protocol, made of the published library `omaha_client`: its state machine, its requests, its reading of answers.
//! Ours are the line to the server, which is plain HTTP on loopback, and the words on standard input.
//!
//! `omaha-counterpart URL APP_ID DEVICE`, then a line for each check: `VERSION installs` or `VERSION fails`. A line of JSON answers each:
//! the states that the library went through, the bodies that it sent and was answered, and the cohort that it keeps.

use futures::{FutureExt, StreamExt, executor::block_on, future::BoxFuture, lock::Mutex};
use omaha_client::{
    app_set::{AppSet, VecAppSet},
    common::App,
    configuration::{Config, Updater},
    cup_ecdsa::StandardCupv2Handler,
    http_request::{Body, Error, HttpRequest, Request, Response, to_bytes},
    installer::stub::StubInstaller,
    metrics::StubMetricsReporter,
    policy::StubPolicyEngine,
    protocol::request::OS,
    state_machine::{StateMachineBuilder, StateMachineEvent},
    storage::MemStorage,
    time::{StandardTimeSource, timers::StubTimer},
    version::Version,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    env,
    io::{Read, Write, stdin},
    net::TcpStream,
    rc::Rc,
    str::FromStr,
    sync::{Arc, Mutex as Shared},
};

type Wire = Arc<Shared<Vec<Value>>>;

/// One connection a request; what crossed it is kept for the test.
struct PlainHttp {
    wire: Wire,
}

impl HttpRequest for PlainHttp {
    fn request(&mut self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Vec<u8>>, Error>> {
        let wire = self.wire.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body).await.expect("a body in memory");
            let authority = parts.uri.authority().expect("an absolute address").to_string();
            let mut head = format!("POST {} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-length: {}\r\n", parts.uri.path(), body.len());
            for (name, value) in &parts.headers {
                head += &format!("{name}: {}\r\n", value.to_str().expect("a header of text"));
            }
            let exchange = || -> std::io::Result<Vec<u8>> {
                let mut stream = TcpStream::connect(&authority)?;
                stream.write_all(head.as_bytes())?;
                stream.write_all(b"\r\n")?;
                stream.write_all(&body)?;
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer)?;
                Ok(answer)
            };
            let answer = exchange().map_err(Error::new_transport)?;
            let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
            let text = String::from_utf8_lossy(&answer[..end]).into_owned();
            let status: u16 = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
            let content = answer[end..].to_vec();
            wire.lock().unwrap().push(json!({
                "status": status,
                "sent": serde_json::from_slice::<Value>(&body).expect("the library writes JSON"),
                "answered": String::from_utf8_lossy(&content),
            }));
            let mut response = Response::builder().status(status);
            for line in text.lines().skip(1) {
                if let Some((name, value)) = line.split_once(": ") {
                    response = response.header(name, value);
                }
            }
            Ok(response.body(content).expect("an answer"))
        }
        .boxed()
    }
}

fn main() {
    let [url, app_id, device] = env::args().skip(1).collect::<Vec<_>>().try_into().expect("URL APP_ID DEVICE");
    let config = Config {
        updater: Updater { name: "counterpart".into(), version: [0, 0, 1, 0].into() },
        os: OS { platform: "Windows".into(), version: "10.0".into(), service_pack: "".into(), arch: "x64".into() },
        service_url: url,
        omaha_public_keys: None,
    };
    let fields = HashMap::from([("machineid".to_string(), device)]);
    let app = App::builder().id(app_id).version([0, 0, 0, 1]).extra_fields(fields).build();
    let apps = Rc::new(Mutex::new(VecAppSet::new(vec![app])));
    let storage = Rc::new(Mutex::new(MemStorage::new()));
    for line in stdin().lines() {
        let line = line.expect("standard input");
        let (version, outcome) = line.split_once(' ').expect("VERSION installs|fails");
        let wire = Wire::default();
        let states = block_on(async {
            for app in apps.lock().await.iter_mut_apps() {
                app.version = Version::from_str(version).expect("a version");
            }
            let machine = StateMachineBuilder::new(
                StubPolicyEngine::new(StandardTimeSource),
                PlainHttp { wire: wire.clone() },
                StubInstaller { should_fail: outcome == "fails" },
                StubTimer,
                StubMetricsReporter,
                storage.clone(),
                config.clone(),
                apps.clone(),
                None::<StandardCupv2Handler>,
            );
            let events: Vec<StateMachineEvent> = machine.oneshot_check().await.collect().await;
            events
                .into_iter()
                .filter_map(|event| match event {
                    StateMachineEvent::StateChange(state) => Some(format!("{state:?}")),
                    _ => None,
                })
                .collect::<Vec<_>>()
        });
        let kept = block_on(async { apps.lock().await.get_apps()[0].cohort.clone() });
        let wire = wire.lock().unwrap().clone();
        println!("{}", json!({ "states": states, "wire": wire, "cohort": { "id": kept.id, "name": kept.name } }));
    }
}
