//! The Classic API: reads and deletions as XML or JSON, and pages of HTML where something is wrong.

use super::{
    Call, Jamf,
    access::Privilege,
    event,
    object::{Computer, Location, MobileDevice, Person},
    reply::{Format, Reply, document, page},
    shape::udid,
    shelf::Seen,
    tree::Node,
    webhook::Event,
};
use crate::tenant::{Record, View};
use http::{Method, StatusCode, header};
use std::sync::Arc;
use uuid::Uuid;

impl Jamf {
    /// Answers a call below `/JSSResource` that only looks, whose path is given in pieces.
    pub(super) fn classic_look(&self, call: &Call<'_>, path: &[&str]) -> Reply {
        let needed = match path.first() {
            Some(&"computers") => Privilege::ReadComputers,
            Some(&"mobiledevices") => Privilege::ReadMobileDevices,
            Some(&"users") => Privilege::ReadUsers,
            _ => return not_found(),
        };
        self.classic_allowed(call, needed)
            .and_then(|()| self.read(call.view, path).ok_or_else(not_found))
            .map_or_else(|refusal| refusal, |tree| document(StatusCode::OK, format(call), &tree))
    }

    /// Answers any other call below `/JSSResource`.
    pub(super) fn classic_change(&mut self, call: &Call<'_>, path: &[&str]) -> Reply {
        if call.method != Method::DELETE {
            return page(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed here.");
        }
        let needed = match path.first() {
            Some(&"computers") => Privilege::DeleteComputers,
            Some(&"mobiledevices") => Privilege::DeleteMobileDevices,
            Some(&"users") => Privilege::DeleteUsers,
            _ => return not_found(),
        };
        self.classic_allowed(call, needed)
            .and_then(|()| self.delete(call, path).ok_or_else(not_found))
            .map_or_else(|refusal| refusal, |tree| document(StatusCode::OK, format(call), &tree))
    }

    fn classic_allowed(&self, call: &Call<'_>, needed: Privilege) -> Result<(), Reply> {
        let unknown =
            || page(StatusCode::UNAUTHORIZED, "The request requires user authentication.");
        let holder = self.holder(call).ok_or_else(unknown)?;
        if self.access.privileges(&holder).contains(&needed) {
            Ok(())
        } else {
            Err(page(StatusCode::FORBIDDEN, "You are not allowed to do this."))
        }
    }

    fn read(&self, view: View, path: &[&str]) -> Option<Node> {
        let computers = self.computers.seen(view);
        let mobile_devices = self.mobile_devices.seen(view);
        let people = self.people.seen(view);
        let key = path.get(2).copied().unwrap_or_default();
        let tree = match path.get(..2).unwrap_or(path) {
            ["computers"] => {
                let listed = computers.all().map(|c| listed(c.id, &c.name)).collect();
                Node::fields([("computers", Node::List("computer", listed))])
            }
            ["computers", "id"] => computer(&*computers.find(key.parse().ok()?)?),
            ["computers", "udid"] => computer(&*computers.find_by(&Uuid::parse_str(key).ok()?)?),
            ["mobiledevices"] => {
                let listed = mobile_devices.all().map(|d| listed(d.id, &d.name)).collect();
                Node::fields([("mobile_devices", Node::List("mobile_device", listed))])
            }
            ["mobiledevices", "id"] => mobile_device(&*mobile_devices.find(key.parse().ok()?)?),
            ["mobiledevices", "udid"] => {
                mobile_device(&*mobile_devices.find_by(&Uuid::parse_str(key).ok()?)?)
            }
            ["users"] => {
                let listed = people.all().map(|p| listed(p.id, &p.name)).collect();
                Node::fields([("users", Node::List("user", listed))])
            }
            ["users", "id"] => {
                Node::fields([("user", self.person(view, &*people.find(key.parse().ok()?)?))])
            }
            ["users", "name"] => {
                let person = people.find_by(&key.to_lowercase())?;
                Node::fields([("user", self.person(view, &person))])
            }
            ["users", "email"] => {
                let found = self
                    .by_email(view, key)
                    .iter()
                    .map(|person| self.person(view, person))
                    .collect();
                Node::fields([("users", Node::List("user", found))])
            }
            _ => return None,
        };
        let longest = if path.len() == 1 { 1 } else { 3 };
        (path.len() == longest).then_some(tree)
    }

    fn delete(&mut self, call: &Call<'_>, path: &[&str]) -> Option<Node> {
        let [kind, "id", id] = *path else { return None };
        let (id, now, who) = (id.parse().ok()?, call.at.now, self.name_of(call));
        let (kind, element, name) = match kind {
            "computers" => ("Computer", "computer", self.computers.remove(id, now)?.name.clone()),
            "mobiledevices" => (
                "Mobile Device",
                "mobile_device",
                self.mobile_devices.remove(id, now)?.name.clone(),
            ),
            _ => ("User", "user", self.people.remove(id, now)?.name.clone()),
        };
        let event = event::operation(kind, id, &name, &who);
        self.webhooks.happened(Event::RestAPIOperation, &event, now);
        Some(Node::fields([(element, Node::fields([("id", Node::value(id))]))]))
    }

    /// Everyone with this address. Generated people are found by it; those that were made or changed
    /// are looked through.
    fn by_email(&self, view: View, email: &str) -> Vec<Arc<Person>> {
        let people = self.people.seen(view);
        let generated =
            email.split_once('@').and_then(|(alias, _)| people.find_by(&alias.to_lowercase()));
        let mut found: Vec<_> = people.changed().chain(generated).collect();
        found.retain(|person| person.email.eq_ignore_ascii_case(email));
        found.sort_by_key(|person| person.id);
        found.dedup_by_key(|person| person.id);
        found
    }

    fn person(&self, view: View, person: &Person) -> Node {
        let computers = assigned(person, &self.computers.seen(view), |c: &Computer| &c.location);
        let devices =
            assigned(person, &self.mobile_devices.seen(view), |d: &MobileDevice| &d.location);
        let computers = computers.iter().map(|c| listed(c.id, &c.name)).collect();
        let devices = devices.iter().map(|d| listed(d.id, &d.name)).collect();
        Node::fields([
            ("id", Node::value(person.id)),
            ("name", Node::value(person.name.as_str())),
            ("full_name", Node::value(person.full_name.as_str())),
            ("email", Node::value(person.email.as_str())),
            ("email_address", Node::value(person.email.as_str())),
            ("phone_number", Node::value("")),
            ("position", Node::value("")),
            (
                "links",
                Node::fields([
                    ("computers", Node::List("computer", computers)),
                    ("mobile_devices", Node::List("mobile_device", devices)),
                ]),
            ),
        ])
    }
}

/// The devices that are assigned to somebody: of the generated ones every so-manyth can be.
fn assigned<R: Record<Id = u32>>(
    person: &Person,
    devices: &Seen<'_, R>,
    location: impl Fn(&R) -> &Location,
) -> Vec<Arc<R>> {
    let users = usize::try_from(devices.blueprint().users).unwrap_or(usize::MAX).max(1);
    let last = u32::try_from(R::generated(devices.blueprint())).unwrap_or(u32::MAX);
    let every = (person.id..=last).step_by(users).filter_map(|id| devices.find(id));
    let mut found: Vec<_> = every.chain(devices.changed()).collect();
    found.retain(|device| location(device).username.eq_ignore_ascii_case(&person.name));
    found.sort_by_key(|device| device.id());
    found.dedup_by_key(|device| device.id());
    found
}

fn not_found() -> Reply {
    page(StatusCode::NOT_FOUND, "The server has not found anything matching the request URI")
}

fn format(call: &Call<'_>) -> Format {
    let accepted = call.header(header::ACCEPT.as_str()).unwrap_or_default();
    if accepted.contains("application/json") { Format::Json } else { Format::Xml }
}

fn listed(id: u32, name: &str) -> Node {
    Node::fields([("id", Node::value(id)), ("name", Node::value(name))])
}

fn location(location: &Location) -> Node {
    Node::fields([
        ("username", Node::value(location.username.as_str())),
        ("realname", Node::value(location.real_name.as_str())),
        ("real_name", Node::value(location.real_name.as_str())),
        ("email_address", Node::value(location.email.as_str())),
    ])
}

fn computer(computer: &Computer) -> Node {
    let general = Node::fields([
        ("id", Node::value(computer.id)),
        ("name", Node::value(computer.name.as_str())),
        ("udid", Node::value(udid(computer.udid))),
        ("serial_number", Node::value(computer.serial_number.as_str())),
        ("remote_management", Node::fields([("managed", Node::value(computer.managed))])),
        ("supervised", Node::value(computer.supervised)),
        ("mdm_capable", Node::value(computer.managed)),
        ("management_id", Node::value(computer.management_id.to_string())),
        ("last_contact_time_epoch", Node::value(computer.last_contact.unix_milliseconds())),
    ]);
    let parts = Node::fields([("general", general), ("location", location(&computer.location))]);
    Node::fields([("computer", parts)])
}

fn mobile_device(device: &MobileDevice) -> Node {
    let general = Node::fields([
        ("id", Node::value(device.id)),
        ("name", Node::value(device.name.as_str())),
        ("udid", Node::value(udid(device.udid))),
        ("serial_number", Node::value(device.serial_number.as_str())),
        ("managed", Node::value(device.managed)),
        ("supervised", Node::value(device.supervised)),
        ("device_ownership_level", Node::value(device.ownership.as_str())),
        ("management_id", Node::value(device.management_id.to_string())),
        ("last_inventory_update_epoch", Node::value(device.last_contact.unix_milliseconds())),
    ]);
    let parts = Node::fields([("general", general), ("location", location(&device.location))]);
    Node::fields([("mobile_device", parts)])
}
