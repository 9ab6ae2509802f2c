/**
 * heavy-hitters — who comes most often, in memory that does not grow
 *
 * The space-saving algorithm of Metwally, Agrawal and El Abbadi (2005): each of a fixed number of places counts one key; a key
 * without a place takes that of the one with the least count, and its count on top of it. So a count is never too low and at most
 * the least count too high, and whoever makes up more than one in `capacity` of all is there for sure. A stranger with ever
 * new keys chases itself through the least places.
 *
 * Keys are two words. The search is linear: 256 places are a kilobyte, and a session ends once.
 */

export class HeavyHitters {
  readonly capacity: number;
  /** What each place counted, with what it took over. */
  readonly counts: Float64Array;
  /** What of that it took over. */
  readonly excess: Float64Array;
  readonly keys: Int32Array;
  used = 0;
  /** Whether the last `take` gave a place to another key: what its owner holds beside it belongs to the one before. */
  isFresh = false;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.counts = new Float64Array(capacity);
    this.excess = new Float64Array(capacity);
    this.keys = new Int32Array(capacity * 2);
  }

  /** The place of a key, -1 for none. */
  find(key0: number, key1: number): number {
    const { keys } = this;
    for (let place = 0; place < this.used; place++)
      if (keys[place * 2] === key0 && keys[place * 2 + 1] === key1) return place;
    return -1;
  }

  /** Counts a key; its place. */
  take(key0: number, key1: number): number {
    let place = this.find(key0, key1);
    this.isFresh = place < 0;
    if (place < 0) {
      if (this.used < this.capacity) {
        place = this.used++;
        this.counts[place] = 0;
      } else place = this.#least();
      this.keys[place * 2] = key0;
      this.keys[place * 2 + 1] = key1;
      this.excess[place] = this.counts[place]!;
    }
    this.counts[place]! += 1;
    return place;
  }

  /** Makes all counts smaller by a factor: what is long ago counts less. */
  decay(factor: number): void {
    for (let place = 0; place < this.used; place++) {
      this.counts[place]! *= factor;
      this.excess[place]! *= factor;
    }
  }

  #least(): number {
    let least = 0;
    for (let place = 1; place < this.used; place++)
      if (this.counts[place]! < this.counts[least]!) least = place;
    return least;
  }
}
