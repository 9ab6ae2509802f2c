/**
 * prepare — bytes in another form, without changing what they say
 *
 * What is said again and again is prepared once: a transport may write its own kind of buffer at less cost
 * (transport/transport, `prepare`). Where there is no transport, bytes stay as they are.
 */
export type Prepare = (bytes: Uint8Array) => Uint8Array;

/** The form that bytes have anyway. */
export const unprepared: Prepare = (bytes) => bytes;
