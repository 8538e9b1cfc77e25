//! How values of the domain lie in columns, both ways.

use lanyard_lifecycle::{
    binding::Binding,
    id::{DepartmentId, DirectoryId, EndpointId, ObjectId, OrganizationId, Scope},
    kind::{Kind, Source},
    revocation::{RevocationReason, Standing},
};
use lanyard_pki::{SerialNumber, Time};

use crate::{
    StoreError,
    record::{CaId, CrlPartition},
    sql::Columns,
};

/// An organization's column: empty for the default one, which most rows belong to.
#[derive(Clone, Copy)]
pub(crate) struct OrganizationColumn([u8; 16], usize);

impl OrganizationColumn {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

pub(crate) fn organization_column(organization: OrganizationId) -> OrganizationColumn {
    let length = if organization == OrganizationId::DEFAULT { 0 } else { 16 };
    OrganizationColumn(organization.to_bytes(), length)
}

/// The number of a standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StandingCode {
    Good,
    OnHold,
    Revoked,
}

impl StandingCode {
    pub(crate) fn of(standing: &Standing) -> Self {
        match standing {
            Standing::NotRevoked => Self::Good,
            Standing::OnHold { .. } => Self::OnHold,
            Standing::Revoked { .. } => Self::Revoked,
        }
    }

    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Good => 0,
            Self::OnHold => 1,
            Self::Revoked => 2,
        }
    }

    pub(crate) fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            0 => Ok(Self::Good),
            1 => Ok(Self::OnHold),
            2 => Ok(Self::Revoked),
            _ => Err(StoreError::unreadable("standing")),
        }
    }
}

pub(crate) fn optional_time(time: Option<Time>) -> Option<i64> {
    time.map(Time::unix)
}

impl Columns<'_> {
    pub(crate) fn time(&mut self) -> Result<Time, StoreError> {
        self.int().map(Time::from_unix)
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Time>, StoreError> {
        Ok(self.optional_int()?.map(Time::from_unix))
    }

    pub(crate) fn serial(&mut self) -> Result<SerialNumber, StoreError> {
        serial(self.blob()?)
    }

    pub(crate) fn optional_serial(&mut self) -> Result<Option<SerialNumber>, StoreError> {
        self.optional_blob()?.map(serial).transpose()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        array(self.blob()?)
    }

    pub(crate) fn optional_array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        self.optional_blob()?.map(array).transpose()
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.blob().map(<[u8]>::to_vec)
    }

    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.optional_blob()?.map(<[u8]>::to_vec))
    }

    pub(crate) fn string(&mut self) -> Result<String, StoreError> {
        self.text().map(str::to_owned)
    }

    pub(crate) fn optional_string(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.optional_text()?.map(str::to_owned))
    }

    pub(crate) fn ca(&mut self) -> Result<CaId, StoreError> {
        self.int().map(CaId)
    }

    pub(crate) fn crl_partition(&mut self) -> Result<CrlPartition, StoreError> {
        let number = u16::try_from(self.int()?);
        number.map(CrlPartition).map_err(|_| StoreError::unreadable("CRL partition"))
    }

    pub(crate) fn kind(&mut self) -> Result<Kind, StoreError> {
        let code = u8::try_from(self.int()?).ok();
        code.and_then(Kind::from_code).ok_or_else(|| StoreError::unreadable("certificate kind"))
    }

    pub(crate) fn source(&mut self) -> Result<Source, StoreError> {
        let code = u8::try_from(self.int()?).ok();
        code.and_then(Source::from_code).ok_or_else(|| StoreError::unreadable("source"))
    }

    pub(crate) fn endpoint(&mut self) -> Result<EndpointId, StoreError> {
        self.array().map(EndpointId::from_bytes)
    }

    /// Kind, object, directory.
    pub(crate) fn binding(&mut self) -> Result<Binding, StoreError> {
        Ok(Binding {
            kind: self.kind()?,
            object: ObjectId::from_bytes(self.array()?),
            directory: self.optional_array()?.map(DirectoryId::from_bytes),
        })
    }

    /// Organization, department.
    pub(crate) fn scope(&mut self) -> Result<Scope, StoreError> {
        let organization = match self.blob()? {
            [] => OrganizationId::DEFAULT,
            bytes => OrganizationId::from_bytes(array(bytes)?),
        };
        let department = self.optional_array()?.map(DepartmentId::from_bytes);
        Ok(Scope { organization, department })
    }

    /// Standing, reason, since.
    pub(crate) fn standing(&mut self) -> Result<Standing, StoreError> {
        self.optional_standing()?.ok_or_else(|| StoreError::unreadable("standing"))
    }

    /// Standing, reason, since, where there is one.
    pub(crate) fn optional_standing(&mut self) -> Result<Option<Standing>, StoreError> {
        let code = self.optional_int()?;
        let reason = self.optional_int()?;
        let since = self.optional_time()?;
        let Some(code) = code else { return Ok(None) };
        let unreadable = || StoreError::unreadable("standing");
        Ok(Some(match StandingCode::from_code(code)? {
            StandingCode::Good => Standing::NotRevoked,
            StandingCode::OnHold => Standing::OnHold { since: since.ok_or_else(unreadable)? },
            StandingCode::Revoked => Standing::Revoked {
                since: since.ok_or_else(unreadable)?,
                reason: reason
                    .and_then(|code| u8::try_from(code).ok())
                    .and_then(RevocationReason::from_code)
                    .ok_or_else(unreadable)?,
            },
        }))
    }
}

/// Decodes a row of one time.
pub(crate) fn one_time(columns: &mut Columns<'_>) -> Result<Time, StoreError> {
    columns.time()
}

/// The columns reason and since of a standing.
pub(crate) fn standing_columns(standing: &Standing) -> (Option<i64>, Option<i64>) {
    match standing {
        Standing::NotRevoked => (None, None),
        Standing::OnHold { since } => (None, Some(since.unix())),
        Standing::Revoked { since, reason } => (Some(i64::from(reason.code())), Some(since.unix())),
    }
}

fn serial(bytes: &[u8]) -> Result<SerialNumber, StoreError> {
    SerialNumber::from_bytes(bytes).map_err(|_| StoreError::unreadable("serial number"))
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::unreadable("value"))
}

/// Texts as one column: a JSON array, or nothing for none.
pub(crate) fn texts_column(texts: &[String]) -> Option<String> {
    if texts.is_empty() { None } else { serde_json::to_string(texts).ok() }
}

pub(crate) fn texts(column: Option<&str>) -> Result<Vec<String>, StoreError> {
    column.map_or(Ok(Vec::new()), |text| {
        serde_json::from_str(text).map_err(|_| StoreError::unreadable("list of names"))
    })
}

/// DER values one after another, each behind its length in four octets.
pub(crate) fn chain_column(chain: &[Vec<u8>]) -> Vec<u8> {
    let mut column = Vec::with_capacity(chain.iter().map(|der| der.len() + 4).sum());
    for der in chain {
        let length = u32::try_from(der.len()).unwrap_or(u32::MAX);
        column.extend_from_slice(&length.to_be_bytes());
        column.extend_from_slice(der);
    }
    column
}

pub(crate) fn chain(mut column: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut chain = Vec::new();
    while !column.is_empty() {
        let unreadable = || StoreError::unreadable("chain");
        let (length, rest) = column.split_first_chunk::<4>().ok_or_else(unreadable)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| unreadable())?;
        let (der, rest) = rest.split_at_checked(length).ok_or_else(unreadable)?;
        chain.push(der.to_vec());
        column = rest;
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_chain_comes_back_from_its_column(
            ders in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..5)
        ) {
            prop_assert_eq!(chain(&chain_column(&ders)).unwrap(), ders);
        }

        #[test]
        fn a_damaged_chain_is_an_error_and_no_panic(
            column in proptest::collection::vec(any::<u8>(), 0..40)
        ) {
            if let Ok(ders) = chain(&column) {
                prop_assert_eq!(chain_column(&ders), column);
            }
        }
    }

    #[test]
    fn the_default_organization_costs_no_bytes() {
        assert!(organization_column(OrganizationId::DEFAULT).as_slice().is_empty());
        let other = OrganizationId::from_bytes([7; 16]);
        assert_eq!(organization_column(other).as_slice(), [7; 16]);
    }

    #[test]
    fn names_come_back_from_their_column() {
        for list in [vec![], vec!["DNS:a".to_owned(), "a \"quoted\"\nname".to_owned()]] {
            assert_eq!(texts(texts_column(&list).as_deref()).unwrap(), list);
        }
        assert!(texts(Some("no list")).is_err());
    }
}
