//! Who may do what in Jamf Pro: accounts with passwords, API clients with secrets, and the tokens of both.

use crate::tenant::Time;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// How long the token of an account lives.
pub const ACCOUNT_TOKEN_LIFE: Duration = Duration::from_mins(30);

/// What may be done, in the words of Jamf Pro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Privilege {
    /// Looking at computers.
    #[serde(rename = "Read Computers")]
    ReadComputers,
    /// Deleting computers.
    #[serde(rename = "Delete Computers")]
    DeleteComputers,
    /// Looking at mobile devices.
    #[serde(rename = "Read Mobile Devices")]
    ReadMobileDevices,
    /// Deleting mobile devices.
    #[serde(rename = "Delete Mobile Devices")]
    DeleteMobileDevices,
    /// Looking at users.
    #[serde(rename = "Read Users")]
    ReadUsers,
    /// Deleting users.
    #[serde(rename = "Delete User")]
    DeleteUsers,
}

impl Privilege {
    /// What a connector needs.
    pub const READ: [Self; 3] = [Self::ReadComputers, Self::ReadMobileDevices, Self::ReadUsers];
}

/// An account with a password, or an API client with a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credential {
    /// The password or the secret.
    pub secret: String,
    /// What may be done with it.
    pub privileges: BTreeSet<Privilege>,
    /// Whether it can be used. Tokens that were issued before stay valid.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How long tokens of an API client live, in seconds.
    #[serde(default = "minute")]
    pub token_life_seconds: u64,
}

fn yes() -> bool {
    true
}

const fn minute() -> u64 {
    60
}

impl Credential {
    /// One that may read everything.
    pub fn reader(secret: impl Into<String>) -> Self {
        Self {
            secret: secret.into(),
            privileges: Privilege::READ.into(),
            enabled: true,
            token_life_seconds: minute(),
        }
    }
}

#[derive(Debug, Clone)]
struct Token {
    holder: Holder,
    expires: Time,
    /// Where it was issued, and when: other nodes learn of it later.
    node: usize,
    issued: Time,
}

/// Who holds a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An account.
    Account(String),
    /// An API client.
    Client(String),
}

/// A token that was issued.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token.
    pub token: String,
    /// Its end.
    pub expires: Time,
    /// For how long it is, in whole seconds.
    pub life: Duration,
}

/// Everyone who may come in.
#[derive(Debug, Default)]
pub struct Access {
    /// By user name.
    pub accounts: BTreeMap<String, Credential>,
    /// By client id.
    pub clients: BTreeMap<String, Credential>,
    tokens: HashMap<String, Token>,
}

/// Where and when a call arrives.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// At which node of the cluster.
    pub node: usize,
    /// The time.
    pub now: Time,
    /// How long nodes take to learn of a token that another one issued.
    pub replication: Duration,
}

impl Access {
    /// A token for an account, by its password.
    pub fn sign_in(&mut self, name: &str, password: &str, at: Arrival) -> Option<Grant> {
        let account = self.accounts.get(name)?;
        if account.secret != password || !account.enabled {
            return None;
        }
        Some(self.grant(Holder::Account(name.to_owned()), ACCOUNT_TOKEN_LIFE, at))
    }

    /// A token for an API client, by its secret, and what it is good for.
    pub fn client_token(&mut self, id: &str, secret: &str, at: Arrival) -> Option<Grant> {
        let client = self.clients.get(id)?;
        if client.secret != secret || !client.enabled {
            return None;
        }
        let life = Duration::from_secs(client.token_life_seconds);
        Some(self.grant(Holder::Client(id.to_owned()), life, at))
    }

    /// Another token for an account's present one, which ends.
    pub fn keep_alive(&mut self, token: &str, at: Arrival) -> Option<Grant> {
        let Some(Holder::Account(name)) = self.holder(token, at) else { return None };
        self.tokens.remove(token);
        Some(self.grant(Holder::Account(name), ACCOUNT_TOKEN_LIFE, at))
    }

    /// Ends a token; says whether it was one.
    pub fn invalidate(&mut self, token: &str, at: Arrival) -> bool {
        self.holder(token, at).is_some() && self.tokens.remove(token).is_some()
    }

    /// Ends all tokens, as a restart does.
    pub fn forget_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Whose token it is, if it is known here and not over.
    pub fn holder(&self, token: &str, at: Arrival) -> Option<Holder> {
        let token = self.tokens.get(token).filter(|token| token.expires > at.now)?;
        let learnt = token.node == at.node || at.now.since(token.issued) >= at.replication;
        learnt.then(|| token.holder.clone())
    }

    /// What the holder of a token may do now. A client that was deleted may do nothing, one that was
    /// disabled keeps its tokens.
    pub fn privileges(&self, holder: &Holder) -> BTreeSet<Privilege> {
        let credential = match holder {
            Holder::Account(name) => self.accounts.get(name),
            Holder::Client(id) => self.clients.get(id),
        };
        credential.map(|credential| credential.privileges.clone()).unwrap_or_default()
    }

    fn grant(&mut self, holder: Holder, life: Duration, at: Arrival) -> Grant {
        self.tokens.retain(|_, token| token.expires > at.now);
        let mut octets = [0; 32];
        // Without randomness of the system nothing of this program works.
        let _ = SystemRandom::new().fill(&mut octets);
        let token = URL_SAFE_NO_PAD.encode(octets);
        let expires = at.now.plus(life);
        self.tokens.insert(token.clone(), Token { holder, expires, node: at.node, issued: at.now });
        Grant { token, expires, life }
    }
}
