/** Vocabulary of generated texts: few enough words that text compresses as real descriptions do. */
export const WORDS = [
  'annual',
  'monthly',
  'seat',
  'usage',
  'overage',
  'credit',
  'discount',
  'support',
  'premium',
  'starter',
  'team',
  'enterprise',
  'plan',
  'storage',
  'transfer',
  'compute',
] as const
