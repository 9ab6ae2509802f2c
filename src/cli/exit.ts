/**
 * exit — what the process says at its end
 */

/** Exit codes; 78 is EX_CONFIG of sysexits(3). */
export const exitCodes = {
  good: 0,
  failed: 1,
  usage: 2,
  config: 78,
} as const;
