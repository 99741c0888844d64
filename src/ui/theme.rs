//! Colours by what they mean. Nothing is told by colour alone: marks, letters and words
//! stand beside it, and without colour weight and underline take its place.

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// No colour at all: `NO_COLOR`, or a terminal that has none.
    Mono,
    /// The 16 named colours, as the user has set them.
    Sixteen,
    /// The 256 indexed colours.
    Indexed,
    /// 24 bits.
    True,
}

/// The ground that the text stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ground {
    #[default]
    Dark,
    Light,
}

impl Ground {
    pub fn other(self) -> Ground {
        match self {
            Ground::Dark => Ground::Light,
            Ground::Light => Ground::Dark,
        }
    }
}

/// A choice of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scheme {
    #[default]
    Standard,
    /// At least 7 : 1 against the ground for all that is read.
    HighContrast,
    /// After Okabe and Ito: told apart under every common colour blindness.
    ColourBlind,
}

/// A theme, as the command line and the configuration name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The standard colours on the ground that the terminal has.
    #[default]
    Auto,
    Dark,
    Light,
    HighContrast,
    ColourBlind,
}

impl Choice {
    pub const ALL: [Choice; 5] =
        [Choice::Auto, Choice::Dark, Choice::Light, Choice::HighContrast, Choice::ColourBlind];

    pub fn name(self) -> &'static str {
        match self {
            Choice::Auto => "auto",
            Choice::Dark => "dark",
            Choice::Light => "light",
            Choice::HighContrast => "high-contrast",
            Choice::ColourBlind => "colour-blind",
        }
    }

    pub fn named(name: &str) -> Option<Choice> {
        Choice::ALL.into_iter().find(|c| c.name() == name)
    }

    /// The ground, where the choice names one.
    pub fn ground(self) -> Option<Ground> {
        match self {
            Choice::Dark => Some(Ground::Dark),
            Choice::Light => Some(Ground::Light),
            _ => None,
        }
    }

    pub fn scheme(self) -> Scheme {
        match self {
            Choice::HighContrast => Scheme::HighContrast,
            Choice::ColourBlind => Scheme::ColourBlind,
            _ => Scheme::Standard,
        }
    }
}

/// What a style says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What is read.
    Text,
    /// What is read second.
    Muted,
    /// Lines, grids and what is only there for the eye to rest on.
    Faint,
    /// A heading.
    Title,
    /// The frame of the pane that keys go to, and keys in the footer.
    Accent,
    /// The base policy.
    Base,
    /// The RLVR policy.
    Rlvr,
    /// A correct answer, preserved support.
    Correct,
    /// A wrong answer.
    Wrong,
    /// Shrunk support, and what has failed.
    Lost,
    /// Expanded support.
    Gained,
}

/// A theme: the style of each role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    pub depth: Depth,
    pub ground: Ground,
    pub scheme: Scheme,
}

impl Theme {
    /// The standard colours.
    pub const fn new(depth: Depth, ground: Ground) -> Self {
        Self { depth, ground, scheme: Scheme::Standard }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let style = Style::new();
        let style = match self.color(role) {
            Some(color) => style.fg(color),
            None => style,
        };
        let mono = self.depth == Depth::Mono;
        match role {
            Role::Title => style.add_modifier(Modifier::BOLD),
            Role::Lost | Role::Gained if mono => style.add_modifier(Modifier::BOLD),
            Role::Rlvr if mono => style.add_modifier(Modifier::BOLD),
            Role::Accent if mono => style.add_modifier(Modifier::BOLD),
            Role::Faint | Role::Muted if mono => style.add_modifier(Modifier::DIM),
            _ => style,
        }
    }

    /// The background of the selected row.
    pub fn selection(&self) -> Style {
        match self.depth {
            Depth::Mono | Depth::Sixteen => Style::new().add_modifier(Modifier::REVERSED),
            Depth::Indexed => Style::new().bg(Color::Indexed(match self.ground {
                Ground::Dark => 236,
                Ground::Light => 254,
            })),
            Depth::True => Style::new().bg(match self.ground {
                Ground::Dark => Color::Rgb(0x2a, 0x30, 0x40),
                Ground::Light => Color::Rgb(0xe3, 0xe9, 0xf4),
            }),
        }
    }

    /// The ground of a token in a heat map, `level` from 0 to 1. Without colours of its own
    /// the terminal shows it by weight.
    pub fn heat(&self, role: Role, level: f64) -> Style {
        let level = (level.clamp(0.0, 1.0) * 8.0).round() / 8.0;
        match self.depth {
            Depth::Mono | Depth::Sixteen if level < 0.2 => Style::new().add_modifier(Modifier::DIM),
            Depth::Mono | Depth::Sixteen if level < 0.5 => Style::new(),
            Depth::Mono | Depth::Sixteen => match self.color(role) {
                Some(color) => Style::new().fg(color).add_modifier(Modifier::BOLD),
                None => Style::new().add_modifier(Modifier::BOLD),
            },
            _ if level == 0.0 => Style::new(),
            depth => {
                let ground: [u8; 3] = match self.ground {
                    Ground::Dark => [0x18, 0x1b, 0x24],
                    Ground::Light => [0xff, 0xff, 0xff],
                };
                let full = self.rgb(role).unwrap_or(ground);
                let share = 0.06 + 0.44 * level;
                let mix = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
                let [r, g, b] = [0, 1, 2].map(|i| mix(ground[i], full[i]));
                Style::new().bg(match depth {
                    Depth::Indexed => Color::Indexed(nearest([r, g, b])),
                    _ => Color::Rgb(r, g, b),
                })
            }
        }
    }

    fn rgb(&self, role: Role) -> Option<[u8; 3]> {
        let [dark, light] = match self.scheme {
            Scheme::Standard => standard(role),
            Scheme::HighContrast => high_contrast(role),
            Scheme::ColourBlind => colour_blind(role),
        }?;
        Some(match self.ground {
            Ground::Dark => dark,
            Ground::Light => light,
        })
    }

    fn color(&self, role: Role) -> Option<Color> {
        match self.depth {
            Depth::Mono => None,
            Depth::Sixteen => named(role),
            Depth::Indexed => self.rgb(role).map(|c| Color::Indexed(nearest(c))),
            Depth::True => self.rgb(role).map(|[r, g, b]| Color::Rgb(r, g, b)),
        }
    }
}

/// The 16 colours without black, white and yellow, which vanish on one ground or the other.
fn named(role: Role) -> Option<Color> {
    Some(match role {
        Role::Text | Role::Title => return None,
        Role::Muted | Role::Faint | Role::Wrong => Color::DarkGray,
        Role::Accent | Role::Base => Color::Blue,
        Role::Rlvr => Color::Magenta,
        Role::Correct | Role::Gained => Color::Green,
        Role::Lost => Color::Red,
    })
}

/// Blue and orange for the policies, rose and teal for the changes: pairs that stay apart
/// under the common colour blindnesses.
fn standard(role: Role) -> Option<[[u8; 3]; 2]> {
    Some(match role {
        Role::Text | Role::Title => return None,
        Role::Muted => [[0x94, 0x9d, 0xb2], [0x5b, 0x63, 0x72]],
        Role::Faint => [[0x4a, 0x52, 0x66], [0xb4, 0xbb, 0xc7]],
        Role::Accent => [[0xb4, 0xa2, 0xf0], [0x63, 0x46, 0xb5]],
        Role::Base => [[0x6c, 0xb0, 0xf5], [0x0b, 0x5f, 0xb8]],
        Role::Rlvr => [[0xf0, 0x9a, 0x4e], [0xa8, 0x4c, 0x06]],
        Role::Correct => [[0x86, 0xc5, 0x86], [0x24, 0x77, 0x35]],
        Role::Wrong => [[0x94, 0x9d, 0xb2], [0x5b, 0x63, 0x72]],
        Role::Lost => [[0xf0, 0x6f, 0x8e], [0xb3, 0x1d, 0x4b]],
        Role::Gained => [[0x45, 0xc8, 0xb0], [0x06, 0x70, 0x60]],
    })
}

fn high_contrast(role: Role) -> Option<[[u8; 3]; 2]> {
    Some(match role {
        Role::Text | Role::Title => [[0xff, 0xff, 0xff], [0x00, 0x00, 0x00]],
        Role::Muted | Role::Wrong => [[0xd8, 0xdc, 0xe4], [0x30, 0x36, 0x40]],
        Role::Faint => [[0x9a, 0xa2, 0xb2], [0x5a, 0x62, 0x70]],
        Role::Accent => [[0xd9, 0xcc, 0xff], [0x3d, 0x1f, 0x96]],
        Role::Base => [[0x8f, 0xcb, 0xff], [0x00, 0x3d, 0x80]],
        Role::Rlvr => [[0xff, 0xbe, 0x7a], [0x73, 0x30, 0x00]],
        Role::Correct => [[0xa6, 0xe8, 0xa6], [0x0a, 0x4d, 0x1a]],
        Role::Lost => [[0xff, 0xa3, 0xb8], [0x86, 0x00, 0x2d]],
        Role::Gained => [[0x6f, 0xf0, 0xd8], [0x00, 0x4d, 0x42]],
    })
}

/// Blue, orange, bluish green and reddish purple of Okabe and Ito, darkened on a light
/// ground; what is correct has no colour of its own, its mark says it.
fn colour_blind(role: Role) -> Option<[[u8; 3]; 2]> {
    Some(match role {
        Role::Base => [[0x56, 0xb4, 0xe9], [0x00, 0x5a, 0x96]],
        Role::Rlvr => [[0xe6, 0x9f, 0x00], [0x8a, 0x55, 0x00]],
        Role::Lost => [[0xe8, 0x9c, 0xc4], [0x93, 0x2d, 0x6b]],
        Role::Gained => [[0x2f, 0xc0, 0x94], [0x00, 0x6b, 0x4f]],
        Role::Correct => return None,
        other => return standard(other),
    })
}

/// The nearest of the 216 colours and 24 greys of the indexed palette.
fn nearest(rgb: [u8; 3]) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let cube = (0..216u8).map(|i| {
        let c = [STEPS[usize::from(i / 36)], STEPS[usize::from(i / 6 % 6)], STEPS[usize::from(i % 6)]];
        (16 + i, c)
    });
    let greys = (0..24u8).map(|i| (232 + i, [8 + 10 * i; 3]));
    let distance =
        |c: [u8; 3]| -> i32 { c.iter().zip(rgb).map(|(a, b)| (i32::from(*a) - i32::from(b)).pow(2)).sum() };
    cube.chain(greys).min_by_key(|(_, c)| distance(*c)).map_or(7, |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 11] = [
        Role::Text,
        Role::Muted,
        Role::Faint,
        Role::Title,
        Role::Accent,
        Role::Base,
        Role::Rlvr,
        Role::Correct,
        Role::Wrong,
        Role::Lost,
        Role::Gained,
    ];

    #[test]
    fn without_colour_no_style_has_one() {
        for ground in [Ground::Dark, Ground::Light] {
            let theme = Theme::new(Depth::Mono, ground);
            assert!(ROLES.iter().all(|r| theme.style(*r).fg.is_none() && theme.style(*r).bg.is_none()));
            assert_eq!(theme.selection().add_modifier, Modifier::REVERSED);
        }
    }

    #[test]
    fn the_two_policies_and_the_two_changes_differ_at_every_depth() {
        for depth in [Depth::Mono, Depth::Sixteen, Depth::Indexed, Depth::True] {
            for ground in [Ground::Dark, Ground::Light] {
                for scheme in [Scheme::Standard, Scheme::HighContrast, Scheme::ColourBlind] {
                    let theme = Theme { depth, ground, scheme };
                    assert_ne!(theme.style(Role::Base), theme.style(Role::Rlvr));
                    if depth != Depth::Mono {
                        assert_ne!(theme.style(Role::Lost), theme.style(Role::Gained));
                    }
                }
            }
        }
    }

    /// Contrast ratio of WCAG 2 against the ground's usual colour.
    #[test]
    fn what_is_read_stands_out_from_its_ground() {
        let luminance = |c: [u8; 3]| {
            let linear = c.map(|v| (f64::from(v) / 255.0).powf(2.2));
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let grounds = [(Ground::Dark, [0x1e, 0x1e, 0x2e]), (Ground::Light, [0xff, 0xff, 0xff])];
        let schemes = [(Scheme::Standard, 4.5), (Scheme::HighContrast, 7.0), (Scheme::ColourBlind, 4.5)];
        for ((ground, back), (scheme, least)) in
            grounds.into_iter().flat_map(|g| schemes.into_iter().map(move |s| (g, s)))
        {
            for role in ROLES.into_iter().filter(|r| *r != Role::Faint) {
                let theme = Theme { depth: Depth::True, ground, scheme };
                let Some(color) = theme.rgb(role) else { continue };
                let (a, b) = (luminance(color), luminance(back));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(ratio >= least, "{role:?} on {ground:?}, {scheme:?}: {ratio:.1}");
            }
        }
    }

    #[test]
    fn indexed_colours_are_the_nearest() {
        assert_eq!((nearest([255, 0, 0]), nearest([95, 135, 175]), nearest([128, 128, 128])), (196, 67, 244));
    }
}
