/**
 * handle — a slot and the generation that owned it, in one small integer
 *
 * A late event for a slot that was freed and given out again must not reach the newcomer. So the outside
 * holds handles, never bare slots: 20 bits of slot, 10 bits of generation, together still a small integer
 * of V8. A stale handle is recognised unless its slot was reused exactly 1,024 times in between.
 */

const SLOT_BITS = 20;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const GENERATION_MASK = (1 << 10) - 1;

/** Most slots that one table can have. */
export const SLOTS_MAX = 1 << SLOT_BITS;

declare const handleBrand: unique symbol;

/** A slot plus the generation that owned it; opaque outside the table that gave it out. */
export type Handle = number & { readonly [handleBrand]: true };

/** The handle of nobody. */
export const NO_HANDLE = -1 as Handle;

/** Packs a slot (0 … SLOTS_MAX - 1) and a generation (any integer; its low ten bits count). */
export function handleOf(slot: number, generation: number): Handle {
  return (((generation & GENERATION_MASK) << SLOT_BITS) | slot) as Handle;
}

/** The slot of a handle. */
export function slotOf(handle: Handle): number {
  return handle & SLOT_MASK;
}
