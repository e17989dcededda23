//! Addresses, prefixes and domain names in a text, also defanged: `hxxp://198.51.100[.]7`, `mail(dot)example[.]org`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::fold::is_invisible;

/// What was found.
pub(super) enum Host {
    Network(IpNet),
    Domain(String),
}

/// Ways to write a dot, or a colon, so that nobody follows the address.
const DEFANGED: &[(&str, char)] = &[
    ("[.]", '.'),
    ("(.)", '.'),
    ("{.}", '.'),
    ("[dot]", '.'),
    ("(dot)", '.'),
    ("{dot}", '.'),
    (" dot ", '.'),
    ("\\.", '.'),
    ("[.", '.'),
    (".]", '.'),
    ("[:]", ':'),
];

/// The hosts of a text, with the positions of their first character and after their last.
pub(super) fn find(chars: &[char]) -> Vec<(usize, usize, Host)> {
    // Each kept character with its position.
    let mut plain: Vec<(usize, char)> = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let written = DEFANGED.iter().find(|(from, _)| {
            from.chars()
                .enumerate()
                .all(|(i, c)| chars.get(at + i).is_some_and(|other| other.to_ascii_lowercase() == c))
        });
        if let Some((from, to)) = written {
            plain.push((at, *to));
            at += from.chars().count();
            continue;
        }
        if !is_invisible(chars[at]) {
            let c = match chars[at] {
                '。' | '．' | '｡' | '․' => '.',
                '：' => ':',
                '／' => '/',
                c => c,
            };
            plain.extend(c.to_lowercase().filter(|_| true).take(1).map(|c| (at, c)));
        }
        at += 1;
    }
    let mut found = Vec::new();
    let mut from = 0;
    while from < plain.len() {
        if !is_part(plain[from].1) {
            from += 1;
            continue;
        }
        let length = plain[from..].iter().position(|(_, c)| !is_part(*c)).unwrap_or(plain.len() - from);
        run(&plain[from..from + length], &mut found);
        from += length;
    }
    found
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | ':' | '/' | '-' | '_' | '*' | '@')
}

/// A run of characters of which hosts are made: a host, a URL, or ordinary words.
fn run(run: &[(usize, char)], found: &mut Vec<(usize, usize, Host)>) {
    // A prefix length belongs to a network; any other slash, an `@` and a single colon part a URL.
    let text: String = run.iter().map(|(_, c)| *c).collect();
    let trimmed = text.trim_matches(['.', ':', '/', '-', '@']);
    if let Some(network) = network(trimmed) {
        let skip = text.chars().count() - text.trim_start_matches(['.', ':', '/', '-', '@']).chars().count();
        let length = trimmed.chars().count();
        found.push((run[skip].0, run[skip + length - 1].0 + 1, Host::Network(network)));
        return;
    }
    for part in run.split(|(_, c)| matches!(c, '/' | '@' | ':')) {
        let Some(first) = part.iter().position(|(_, c)| *c != '.') else { continue };
        let last = part.iter().rposition(|(_, c)| *c != '.').unwrap_or(first);
        let part = &part[first..=last];
        let text: String = part.iter().map(|(_, c)| *c).collect();
        let host = match network(&text) {
            Some(network) => Host::Network(network),
            None if is_domain(&text) => Host::Domain(text),
            None => continue,
        };
        found.push((part[0].0, part[part.len() - 1].0 + 1, host));
    }
}

fn network(text: &str) -> Option<IpNet> {
    if !text.contains(['.', ':']) || text.len() > 60 {
        return None;
    }
    if let Ok(network) = text.parse::<IpNet>() {
        return Some(network.trunc());
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && port.bytes().all(|b| b.is_ascii_digit())
        && let Ok(IpAddr::V4(address)) = host.parse::<IpAddr>()
    {
        return Some(IpNet::from(IpAddr::V4(address)));
    }
    // 10.1.x.x, 10.1.*.*
    let parts: Vec<&str> = text.split('.').collect();
    let known = parts.iter().take_while(|part| part.parse::<u8>().is_ok()).count();
    let wild = parts[known..].iter().all(|part| matches!(*part, "x" | "xx" | "xxx" | "*"));
    if parts.len() > 4 || known == 0 || known == parts.len() || !wild {
        return None;
    }
    let octet = |index: usize| if index < known { parts[index] } else { "0" };
    let base = format!("{}.{}.{}.{}/{}", octet(0), octet(1), octet(2), octet(3), known * 8);
    base.parse().ok()
}

fn is_domain(text: &str) -> bool {
    let mut labels = 0;
    let good = text.split('.').all(|label| {
        labels += 1;
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    });
    good && labels >= 2 && text.rsplit('.').next().is_some_and(|last| last.chars().any(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        find(&chars)
            .into_iter()
            .map(|(from, to, host)| {
                let excerpt: String = chars[from..to].iter().collect();
                match host {
                    Host::Network(network) => format!("{network} at {excerpt}"),
                    Host::Domain(name) => format!("{name} at {excerpt}"),
                }
            })
            .collect()
    }

    #[test]
    fn addresses_and_names_plain_and_defanged() {
        for (text, expected) in [
            ("see 198.51.100.7.", "198.51.100.7/32 at 198.51.100.7"),
            ("hxxp://198.51.100[.]7/a", "198.51.100.7/32 at 198.51.100[.]7"),
            ("198.51.100.7:8080", "198.51.100.7/32 at 198.51.100.7:8080"),
            ("10.1.x.x", "10.1.0.0/16 at 10.1.x.x"),
            ("10.1.2.3/16", "10.1.0.0/16 at 10.1.2.3/16"),
            ("(2001:db8::1)", "2001:db8::1/128 at 2001:db8::1"),
            ("hxxps://mail[.]example(dot)org/x", "mail.example.org at mail[.]example(dot)org"),
            ("me@Example.ORG,", "example.org at Example.ORG"),
            ("exam\u{200b}ple.org", "example.org at exam\u{200b}ple.org"),
            ("example dot org", "example.org at example dot org"),
        ] {
            assert!(shown(text).contains(&expected.to_owned()), "{text}: {:?}", shown(text));
        }
        assert!(shown("At 20:15, 3.5 of 1.000 - and/or 24/7.").is_empty());
    }
}
