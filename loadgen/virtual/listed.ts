/**
 * listed — whether a DNS list has an address
 */
import type { Population } from '../populations.ts';

/** Percent of zombie addresses that the list has, where the population does not say. */
const LISTED_PERCENT = 70;

/** Whether the list has this zombie's address; always the same for the same address. */
export function isListed(address: string, population: Population): boolean {
  const { listedPercent } = population as Population & { readonly listedPercent?: number };
  let hash = 0x811c9dc5;
  for (let at = 0; at < address.length; at += 1) hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash >>> 8) & 0xffff) % 100 < (listedPercent ?? LISTED_PERCENT);
}
