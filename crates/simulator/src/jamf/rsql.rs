//! Filters of the Pro API: RSQL over the JSON that the API would answer with.
//!
//! `;` or `and` binds closer than `,` or `or`; `*` in a value stands for anything; letter case does not count.

use serde_json::Value;

/// A filter that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of them hold.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    /// A comparison.
    Compare {
        /// The property, as in `general.name`.
        path: String,
        /// How it is compared.
        operator: Operator,
        /// With what.
        values: Vec<String>,
    },
}

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`, `=in=`
    Among,
    /// `!=`, `=out=`
    NotAmong,
    /// `<`, `=lt=`
    Less,
    /// `<=`, `=le=`
    LessOrEqual,
    /// `>`, `=gt=`
    Greater,
    /// `>=`, `=ge=`
    GreaterOrEqual,
}

const OPERATORS: [(&str, Operator); 12] = [
    ("==", Operator::Among),
    ("=in=", Operator::Among),
    ("!=", Operator::NotAmong),
    ("=out=", Operator::NotAmong),
    ("=lt=", Operator::Less),
    ("=le=", Operator::LessOrEqual),
    ("=gt=", Operator::Greater),
    ("=ge=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// A text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter cannot be read from {0:?} on")]
pub struct BadFilter(String);

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        let mut parser = Parser { rest: text };
        let filter = parser.any()?;
        if parser.rest.trim().is_empty() { Ok(filter) } else { Err(parser.bad()) }
    }

    /// Whether it holds for an object.
    pub fn matches(&self, object: &Value) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(object)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(object)),
            Self::Compare { path, operator, values } => {
                let found = match property(object, path) {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                let same = || values.iter().any(|value| like(&found, value));
                let first = values.first().map(String::as_str).unwrap_or_default();
                let order = || compare(&found, first);
                match operator {
                    Operator::Among => same(),
                    Operator::NotAmong => !same(),
                    Operator::Less => order().is_lt(),
                    Operator::LessOrEqual => order().is_le(),
                    Operator::Greater => order().is_gt(),
                    Operator::GreaterOrEqual => order().is_ge(),
                }
            }
        }
    }
}

/// What an object has under a path, as in `general.name`.
pub fn property<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |object, name| object.get(name))
}

impl Filter {
    /// The properties that it looks at.
    pub fn properties(&self) -> Vec<&str> {
        match self {
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().flat_map(Self::properties).collect()
            }
            Self::Compare { path, .. } => vec![path.as_str()],
        }
    }

    /// The values one of which the property must have for the filter to hold, if it says so.
    pub fn exactly(&self, property: &str) -> Option<&[String]> {
        match self {
            Self::All(filters) => filters.iter().find_map(|filter| filter.exactly(property)),
            Self::Compare { path, operator: Operator::Among, values }
                if path == property && !values.iter().any(|value| value.contains('*')) =>
            {
                Some(values)
            }
            Self::Any(_) | Self::Compare { .. } => None,
        }
    }
}

fn compare(found: &str, value: &str) -> std::cmp::Ordering {
    match (found.parse::<i64>(), value.parse::<i64>()) {
        (Ok(found), Ok(value)) => found.cmp(&value),
        _ => found.cmp(value),
    }
}

/// Whether the text is the pattern, in which `*` stands for anything.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn bad(&self) -> BadFilter {
        BadFilter(self.rest.to_owned())
    }

    fn skip(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn any(&mut self) -> Result<Filter, BadFilter> {
        let mut filters = vec![self.all()?];
        while self.skip(",") || self.skip("or ") {
            filters.push(self.all()?);
        }
        Ok(single(filters, Filter::Any))
    }

    fn all(&mut self) -> Result<Filter, BadFilter> {
        let mut filters = vec![self.one()?];
        while self.skip(";") || self.skip("and ") {
            filters.push(self.one()?);
        }
        Ok(single(filters, Filter::All))
    }

    fn one(&mut self) -> Result<Filter, BadFilter> {
        if self.skip("(") {
            let filter = self.any()?;
            return if self.skip(")") { Ok(filter) } else { Err(self.bad()) };
        }
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || "._".contains(c)));
        let (path, rest) = end.and_then(|at| self.rest.split_at_checked(at)).ok_or(self.bad())?;
        let path = path.to_owned();
        self.rest = rest.trim_start();
        let (word, operator) = OPERATORS
            .into_iter()
            .find(|(word, _)| self.rest.starts_with(word))
            .filter(|_| !path.is_empty())
            .ok_or(self.bad())?;
        self.skip(word);
        Ok(Filter::Compare { path, operator, values: self.values()? })
    }

    fn values(&mut self) -> Result<Vec<String>, BadFilter> {
        if !self.skip("(") {
            return Ok(vec![self.value()?]);
        }
        let mut values = vec![self.value()?];
        while self.skip(",") {
            values.push(self.value()?);
        }
        if self.skip(")") { Ok(values) } else { Err(self.bad()) }
    }

    fn value(&mut self) -> Result<String, BadFilter> {
        self.rest = self.rest.trim_start();
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                return self.quoted(rest, quote);
            }
        }
        let end = self.rest.find(|c: char| ",;()".contains(c) || c.is_whitespace());
        let (value, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if value.is_empty() {
            return Err(self.bad());
        }
        self.rest = rest;
        Ok(value.to_owned())
    }

    fn quoted(&mut self, rest: &str, quote: char) -> Result<String, BadFilter> {
        let (mut value, mut characters) = (String::new(), rest.char_indices());
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                end if end == quote => {
                    let taken = self.rest.len() - rest.len() + at + end.len_utf8();
                    self.rest = self.rest.get(taken..).unwrap_or_default();
                    return Ok(value);
                }
                other => value.push(other),
            }
        }
        Err(self.bad())
    }
}

fn single(mut filters: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        last => {
            filters.extend(last);
            several(filters)
        }
    }
}

#[cfg(test)]
mod tests;
