/**
 * family-texts — families as they are told: to the API, to the command line, to a file of results
 */
import type { Families } from '../families/families.ts';
import type { Family } from '../families/family.ts';
import { knownFamilies } from '../families/known.ts';
import { Habit } from '../families/labels.ts';
import { binStartMs } from '../families/leaving.ts';
import { enoughMs } from '../policy/plan.ts';
import { Kind, newKey } from '../reputation/keys.ts';
import type { Names } from '../reputation/names.ts';

const NETWORKS_SHOWN = 5;

/** A family, as it is told. */
export interface FamilyText {
  /** A known name, or the id. */
  readonly name: string;
  readonly id: string;
  /** Percent of all sessions. */
  readonly share: number;
  readonly sessions: number;
  readonly patience: string;
  /** The middle of its spike; null when it has none. */
  readonly leaves_ms: number | null;
  /** Strangers that speak like it are slowed as soon as they name a sender. */
  readonly slowed_early: boolean;
  /** How long a wait is enough for these; null as long as its patience is not known: then they meet the full plan. */
  readonly enough_ms: number | null;
  readonly dialect: string;
  readonly networks: readonly { readonly name: string; readonly sessions: number }[];
  readonly since: string;
  readonly seen: string;
  /** Where the habit was described; '' for a family that was found here. */
  readonly source: string;
}

/** All families, the most frequent first. `names`: what networks are called. */
export function familyTexts(families: Families, names: Names): FamilyText[] {
  return families.list.map((family) => textOf(families, family, names));
}

function textOf(families: Families, family: Family, names: Names): FamilyText {
  const { keys, counts, excess, used } = family.networks;
  const key = newKey();
  const networks = Array.from({ length: used }, (_, place) => place)
    .sort((one, other) => counts[other]! - counts[one]!)
    .slice(0, NETWORKS_SHOWN)
    .map((place) => {
      key[0] = keys[place * 2]!;
      key[1] = keys[place * 2 + 1]!;
      return {
        name: names.nameOf(Kind.Network, key),
        sessions: Math.round(counts[place]! - excess[place]!),
      };
    });
  return {
    name: family.label,
    id: family.id,
    share: Math.round(families.percentOf(family) * 10) / 10,
    sessions: Math.round(family.sessions),
    patience: patienceOf(family),
    leaves_ms: family.bin < 0 ? null : Math.round(family.ageMs(50) || binStartMs(family.bin + 0.5)),
    slowed_early: families.isToldEarly(family),
    enough_ms: family.patienceMs > 0 ? enoughMs(family.patienceMs) : null,
    dialect: family.dialectText(),
    networks,
    since: new Date(family.sinceMs).toISOString(),
    seen: new Date(family.seenMs).toISOString(),
    source: knownFamilies.find(({ name }) => name === family.name)?.source ?? '',
  };
}

/** When its sessions leave, for people. */
function patienceOf(family: Family): string {
  const known = knownFamilies.find(({ name }) => name === family.name);
  if (known !== undefined) return known.says;
  if (family.habit === Habit.Leaves)
    return `leaves ${seconds(binStartMs(family.bin + 0.5))} after it connected`;
  const [early, middle, late] = [family.ageMs(10), family.ageMs(50), family.ageMs(90)];
  if (family.sessions < 1) return 'not told yet';
  if (late <= early * 1.15) return `leaves ${seconds(middle)} after it connected`;
  return `half are gone after ${seconds(middle)}, nine of ten after ${seconds(late)}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
