//! Names of generated people, and the way back from a user principal name to its number.

use super::blueprint::Blueprint;

const GIVEN: [&str; 32] = [
    "Ada", "Amir", "Aiko", "Bruno", "Carmen", "Chidi", "Dana", "Elif", "Emeka", "Farah", "Greta",
    "Hugo", "Ines", "Ivan", "Jana", "Kofi", "Lena", "Liam", "Mara", "Mei", "Nadia", "Nils", "Omar",
    "Paula", "Quentin", "Rosa", "Samir", "Tara", "Umut", "Vera", "Wanda", "Yusuf",
];

const FAMILY: [&str; 32] = [
    "Almeida", "Bauer", "Castillo", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito",
    "Jansen", "Kaya", "Larsen", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Silva",
    "Tanaka", "Ueda", "Varga", "Weber", "Xu", "Yilmaz", "Zeman", "Brandt", "Costa", "Diallo",
    "Evans", "Ferrari", "Grant",
];

const PAIRS: u64 = (GIVEN.len() * FAMILY.len()) as u64;

/// The given and the family name of the `n`-th person.
pub fn name(n: u64) -> (&'static str, &'static str) {
    let pair = n % PAIRS;
    let (given, turn) = (pair % 32, pair / 32);
    let pick = |names: &[&'static str; 32], at: u64| {
        usize::try_from(at % 32).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
    };
    (pick(&GIVEN, given), pick(&FAMILY, turn + given))
}

/// The part of the `n`-th person's user principal name before the at sign.
pub fn alias(n: u64) -> String {
    let (given, family) = name(n);
    let (given, family) = (given.to_ascii_lowercase(), family.to_ascii_lowercase());
    match n / PAIRS {
        0 => format!("{given}.{family}"),
        again => format!("{given}.{family}{}", again + 1),
    }
}

/// The number of the person with this user principal name, in any letter case.
pub fn ordinal(blueprint: &Blueprint, user_principal_name: &str) -> Option<u64> {
    let (alias, domain) = user_principal_name.split_once('@')?;
    if !domain.eq_ignore_ascii_case(&blueprint.domain) {
        return None;
    }
    let (given, rest) = alias.split_once('.')?;
    let digits = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
    let (family, again) = rest.split_at(digits);
    let block = match again {
        "" => 0,
        again => again.parse::<u64>().ok().filter(|again| *again >= 2)? - 1,
    };
    let place = |names: &[&str; 32], name: &str| {
        names.iter().position(|known| known.eq_ignore_ascii_case(name)).map(|at| at as u64)
    };
    let (given, family) = (place(&GIVEN, given)?, place(&FAMILY, family)?);
    let turn = (family + 32 - given) % 32;
    block.checked_mul(PAIRS)?.checked_add(turn * 32 + given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_number() {
        let blueprint = Blueprint::small();
        for n in (0..3_000).chain([499_999, 1_000_000]) {
            let upn = format!("{}@Contoso.Example", alias(n).to_uppercase());
            assert_eq!(ordinal(&blueprint, &upn), Some(n), "{upn}");
        }
        for stranger in ["ada", "ada.almeida@fabrikam.example", "ada.lovelace@contoso.example"] {
            assert_eq!(ordinal(&blueprint, stranger), None);
        }
    }
}
