//! Values with a unit: spans of time, sizes, address ranges. Written with the unit, so that none is ever guessed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time in whole seconds, written with its unit: `10s`, `5min`, `12h`, `7d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

const TIME_UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self(hours * 3_600)
    }

    /// So many days.
    pub const fn days(days: u64) -> Self {
        Self(days * 86_400)
    }

    /// In seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }

    /// In seconds, for arithmetic on instants.
    pub fn as_signed_seconds(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// In whole days, rounded up.
    pub fn as_days(self) -> u32 {
        u32::try_from(self.0.div_ceil(86_400)).unwrap_or(u32::MAX)
    }

    /// In whole minutes, rounded up.
    pub fn as_minutes(self) -> u32 {
        u32::try_from(self.0.div_ceil(60)).unwrap_or(u32::MAX)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_secs(span.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, seconds) = TIME_UNITS
            .into_iter()
            .find(|(_, seconds)| self.0 != 0 && self.0.is_multiple_of(*seconds))
            .unwrap_or(("s", 1));
        write!(f, "{}{unit}", self.0 / seconds)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split_unit(text)
            .ok_or_else(|| format!("`{text}` is not a span of time: write 10s, 5min, 12h or 7d"))?;
        let seconds = TIME_UNITS
            .into_iter()
            .find_map(|(name, seconds)| (name == unit).then_some(seconds))
            .ok_or_else(|| {
                format!("`{text}` has no unit of time: write s, min, h or d after the number")
            })?;
        let total = number.checked_mul(seconds).filter(|total| i64::try_from(*total).is_ok());
        total.map(Self).ok_or_else(|| format!("`{text}` is longer than time can be counted"))
    }
}

/// A size in octets, written with its unit: `512B`, `64KiB`, `16MiB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(usize);

const SIZE_UNITS: [(&str, usize); 3] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Size {
    /// So many times 1024 octets.
    pub const fn kibibytes(count: usize) -> Self {
        Self(count << 10)
    }

    /// So many times 1024 * 1024 octets.
    pub const fn mebibytes(count: usize) -> Self {
        Self(count << 20)
    }

    /// In octets.
    pub const fn octets(self) -> usize {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, octets) = SIZE_UNITS
            .into_iter()
            .find(|(_, octets)| self.0 != 0 && self.0.is_multiple_of(*octets))
            .unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / octets)
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split_unit(text)
            .ok_or_else(|| format!("`{text}` is not a size: write 512B, 64KiB or 16MiB"))?;
        let octets = SIZE_UNITS
            .into_iter()
            .find_map(|(name, octets)| name.eq_ignore_ascii_case(unit).then_some(octets))
            .ok_or_else(|| {
                format!("`{text}` has no unit of size: write B, KiB or MiB after the number")
            })?;
        let total = usize::try_from(number).ok().and_then(|number| number.checked_mul(octets));
        total.map(Self).ok_or_else(|| format!("`{text}` is larger than memory can be"))
    }
}

/// Number and unit, with or without a space between them.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

/// A range of IP addresses, written as an address or as address and prefix length: `10.0.0.0/8`, `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// Whether `address` is one of the range. IPv4 addresses inside IPv6 are taken as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refusal = || {
            format!("`{text}` is not an address range: write 10.0.0.0/8, fd00::/8 or one address")
        };
        let (network, prefix) = match text.trim().split_once('/') {
            Some((network, prefix)) => (network, Some(prefix)),
            None => (text.trim(), None),
        };
        let network: IpAddr = network.parse().map_err(|_| refusal())?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| refusal())?,
            None => longest,
        };
        if prefix > longest {
            return Err(refusal());
        }
        Ok(Self { network, prefix })
    }
}

/// Serde and JSON schema by way of the text form.
macro_rules! textual {
    ($type:ident, $description:literal, $pattern:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "x-kind": $description })
            }
        }
    };
}

textual!(Span, "span of time: 10s, 5min, 12h, 7d", r"^[0-9]+ ?(s|min|h|d)$");
textual!(Size, "size: 512B, 64KiB, 16MiB", r"^[0-9]+ ?(B|KiB|MiB)$");
textual!(AddressRange, "address or address range: 10.0.0.0/8, ::1", r"^[0-9a-fA-F.:]+(/[0-9]+)?$");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_span_reads_back_as_it_was_written(seconds in 0..u64::MAX / 2) {
            let span = Span::seconds(seconds);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }

        #[test]
        fn a_size_reads_back_as_it_was_written(octets in 0..usize::MAX) {
            let size = Size(octets);
            prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
        }
    }

    #[test]
    fn units_are_never_guessed() {
        assert_eq!("90 min".parse(), Ok(Span::minutes(90)));
        assert_eq!(Span::minutes(120).to_string(), "2h");
        assert_eq!("64KiB".parse(), Ok(Size::kibibytes(64)));
        for text in ["10", "10m", "", "s", "-5s", "99999999999999999999s", "300000000000000000d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        for text in ["10", "1KB", "B", "99999999999999MiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_range_holds_its_addresses_and_no_others() {
        let private: AddressRange = "10.0.0.0/8".parse().unwrap();
        assert!(private.contains("10.200.1.1".parse().unwrap()));
        assert!(private.contains("::ffff:10.0.0.1".parse().unwrap()));
        assert!(!private.contains("11.0.0.1".parse().unwrap()));
        assert!(!private.contains("::1".parse().unwrap()));
        let every: AddressRange = "::/0".parse().unwrap();
        assert!(every.contains("2001:db8::1".parse().unwrap()));
        let one: AddressRange = "192.0.2.7".parse().unwrap();
        assert_eq!(one.to_string(), "192.0.2.7/32");
        assert!("10.0.0.0/33".parse::<AddressRange>().is_err());
        assert!("example.com".parse::<AddressRange>().is_err());
    }
}
