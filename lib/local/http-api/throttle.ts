// Is this request within the stage's rate?

/**
 * A token bucket on the cloud's clock.
 * @param ratePerSecond tokens that return each second; @param burst the bucket's size.
 */
export function tokenBucket(ratePerSecond: number, burst: number, now: () => number): () => boolean {
  let tokens = burst;
  let filledAt = now();
  return () => {
    const at = now();
    tokens = Math.min(burst, tokens + ((at - filledAt) / 1000) * ratePerSecond);
    filledAt = at;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
