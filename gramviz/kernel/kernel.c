/* Transitions of a network along relations (gram.models.relations): TRM and GRAM over nodes x symbols x features.

   One file serves every board: sizes, relations and weights are data, which thinker.js lays out (`init` reads them in
   that order). There is no libc and no allocation; the host owns the memory. Everything is float32, in one order of
   operations and without relaxed SIMD, so the same bits come out of every engine.

   A row is one trajectory. h and l are [row][node][symbol][feature]; a token here is one symbol of one node. */
typedef unsigned u32;
typedef unsigned long long u64;
typedef float f4 __attribute__((vector_size(16), aligned(4)));
typedef int i4 __attribute__((vector_size(16)));
typedef u32 u4 __attribute__((vector_size(16)));
#define EXPORT(name) __attribute__((export_name(name)))
#define OUT_OF_LINE __attribute__((noinline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define ALL(x) ((f4){(x), (x), (x), (x)})
#define AT(p) (*(const f4 *)(p))
#define PUT(p, v) (*(f4 *)(p) = (v))
enum {
  MOST_KINDS = 16,
  MOST_NETWORKS = 2,
  TILE = 4,   /* tokens whose sums stay in registers; every buffer has room for as many more */
  PANEL = 8,  /* outputs of a weight that lie together: [output / 8][input][8] */
  CHUNK = 36, /* tokens that pass through the feed-forward together, so that they stay in the first cache */
};

typedef struct { /* relations of one kind: groups of nodes, and the groups that each node hears */
  int groups;
  const int *first, *member, *hears_first, *hears;
  const float *scale;
  float *message; /* [group][symbol][feature], scratch */
} Kind;
typedef struct {
  const float *here, *heard[MOST_KINDS], *symbols, *gate, *up, *down, *query, *key, *value, *out, *bias;
} Network;

static int N, K, D, HIDDEN, GUIDANCE, LOW, KINDS, HEADS, PEERS, KEY, VALUE, HIGH;
static float EPS, LARGEST_LOG_SIGMA, MEAN_CAP;
static Kind kind[MOST_KINDS];
static Network network[MOST_NETWORKS];
static const int *peer;
static const float *embedding, *score, *h0, *l0, *mean[3], *deviation[3];
static float *X, *pooled, *among, *wide, *wide2, *q, *k, *v, *mixed, *attention;

static inline f4 clamp(f4 x, float low, float high) {
  return __builtin_wasm_pmax_f32x4(ALL(low), __builtin_wasm_pmin_f32x4(ALL(high), x));
}
static inline float sum(f4 a) { return (a[0] + a[2]) + (a[1] + a[3]); }

/* Cephes (Moshier): within 2 units in the last place. What is below e^-40 is lost beside 1 anyhow, to which everything
   here adds it; smaller numbers would only make products subnormal, which take a processor several times as long. */
static inline f4 exponential(f4 x) {
  x = clamp(x, -40.f, 88.f);
  f4 shifted = x * 1.44269504f + 12582912.f, n = shifted - 12582912.f;
  x = x - n * 0.693359375f + n * 2.12194440e-4f;
  f4 p = ALL(1.9875691500e-4f);
  p = p * x + 1.3981999507e-3f;
  p = p * x + 8.3334519073e-3f;
  p = p * x + 4.1665795894e-2f;
  p = p * x + 1.6666665459e-1f;
  p = p * x + 5.0000001201e-1f;
  p = p * x * x + x + 1.f;
  return (f4)((i4)p + ((i4)shifted << 23));
}
static inline f4 logarithm(f4 x) { /* of 0 < x <= 1 */
  i4 bits = (i4)x, e = (bits - 0x3f3504f3) >> 23;
  f4 m = (f4)(bits - (e << 23)) - 1.f, n = __builtin_convertvector(e, f4), z = m * m;
  f4 p = ALL(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  return m + (p * m * z + n * -2.12194440e-4f - z * .5f) + n * 0.693359375f;
}

/* y[token] = (y[token] +) W x[token], four tokens and eight outputs at a time. */
static OUT_OF_LINE void product(const float *x, const float *w, float *y, int tokens, int in, int out, int add) {
  for (int panel = 0; panel < out; panel += PANEL, w += PANEL * in)
    for (int t = 0; t < tokens; t += TILE) {
      const float *a = x + t * in, *column = w;
      float *to = y + t * out + panel;
      f4 s[TILE][2];
      UNROLL for (int j = 0; j < TILE; j++) UNROLL for (int half = 0; half < 2; half++)
        s[j][half] = add ? AT(to + j * out + 4 * half) : ALL(0.f);
      for (int i = 0; i < in; i++, column += PANEL) {
        f4 low = AT(column), high = AT(column + 4);
        UNROLL for (int j = 0; j < TILE; j++) {
          f4 one = ALL(a[j * in + i]);
          s[j][0] = low * one + s[j][0];
          s[j][1] = high * one + s[j][1];
        }
      }
      UNROLL for (int j = 0; j < TILE; j++) UNROLL for (int half = 0; half < 2; half++)
        PUT(to + j * out + 4 * half, s[j][half]);
    }
}
static OUT_OF_LINE void add(float *y, const float *x, int count) {
  for (int i = 0; i < count; i += 4) PUT(y + i, AT(y + i) + AT(x + i));
}
static void clear(float *y, int count) {
  for (int i = 0; i < count; i += 4) PUT(y + i, ALL(0.f));
}
static void multiply(float *y, float by, int count) {
  for (int i = 0; i < count; i += 4) PUT(y + i, AT(y + i) * by);
}
static OUT_OF_LINE void swiglu(const float *x, const float *const w[3], float *y, int tokens, int in, int hidden, int out) {
  product(x, w[0], wide, tokens, in, hidden, 0);
  product(x, w[1], wide2, tokens, in, hidden, 0);
  for (int i = 0; i < tokens * hidden; i += 4) {
    f4 a = AT(wide + i);
    PUT(wide + i, a * AT(wide2 + i) / (exponential(-a) + 1.f));
  }
  product(wide, w[2], y, tokens, hidden, out, 0);
}

/* PeerAttention: of each node to its peers, the scores of all symbols summed. */
static OUT_OF_LINE void attend(const Network *net) {
  int tokens = N * K, row = HEADS * KEY, across = HEADS * VALUE, padded = (PEERS + 3) & ~3;
  float scale = 1.f / __builtin_sqrtf(K * KEY);
  product(X, net->query, q, tokens, D, row, 0);
  product(X, net->key, k, tokens, D, row, 0);
  product(X, net->value, v, tokens, D, across, 0);
  for (int n = 0; n < N; n++)
    for (int head = 0; head < HEADS; head++) {
      const int *other = peer + n * PEERS;
      float largest = -1e30f;
      for (int j = 0; j < PEERS; j++) {
        const float *a = q + n * K * row + head * KEY, *b = k + other[j] * K * row + head * KEY;
        f4 s = ALL(0.f);
        for (int symbol = 0; symbol < K; symbol++, a += row, b += row)
          for (int i = 0; i < KEY; i += 4) s += AT(a + i) * AT(b + i);
        attention[j] = sum(s) * scale + net->bias[(head * N + n) * PEERS + j];
        if (attention[j] > largest) largest = attention[j];
      }
      for (int j = PEERS; j < padded; j++) attention[j] = -1e30f;
      f4 total = ALL(0.f);
      for (int j = 0; j < padded; j += 4) {
        f4 e = exponential(AT(attention + j) - largest);
        total += e;
        PUT(attention + j, e);
      }
      float share = 1.f / sum(total);
      for (int symbol = 0; symbol < K; symbol++)
        for (int c = 0; c < VALUE; c += 8) {
          const float *from = v + symbol * across + head * VALUE + c;
          f4 low = ALL(0.f), high = low;
          for (int j = 0; j < PEERS; j++) {
            const float *b = from + other[j] * K * across;
            low += AT(b) * attention[j];
            high += AT(b + 4) * attention[j];
          }
          float *to = mixed + (n * K + symbol) * across + head * VALUE + c;
          PUT(to, low * share);
          PUT(to + 4, high * share);
        }
    }
}
/* What each kind of group says: the mean of its members, scaled, through the weight of the kind. */
static void gather(const Network *net) {
  int node = K * D;
  for (int r = 0; r < KINDS; r++) {
    const Kind *one = kind + r;
    clear(pooled, one->groups * node);
    for (int g = 0; g < one->groups; g++) {
      for (int j = one->first[g]; j < one->first[g + 1]; j++) add(pooled + g * node, X + one->member[j] * node, node);
      multiply(pooled + g * node, one->scale[g], node);
    }
    product(pooled, net->heard[r], one->message, one->groups * K, D, D, 0);
  }
  if (K == 1) return;
  clear(pooled, N * D);
  for (int n = 0; n < N; n++)
    for (int symbol = 0; symbol < K; symbol++) add(pooled + n * D, X + n * node + symbol * D, D);
  multiply(pooled, 1.f / __builtin_sqrtf(K), N * D);
  product(pooled, net->symbols, among, N, D, D, 0);
}
/* X <- rms_norm(X + feed_forward(relations(X))) */
static OUT_OF_LINE void block(const Network *net) {
  int node = K * D, step = K > CHUNK ? 1 : CHUNK / K;
  float *heard = mixed + (N * K + TILE) * HEADS * VALUE; /* `init` has made room for both */
  const float *const feed_forward[3] = {net->gate, net->up, net->down};
  if (HEADS) attend(net);
  gather(net);
  for (int from = 0; from < N; from += step) {
    int to = from + step < N ? from + step : N, tokens = (to - from) * K;
    float *x = X + from * node;
    clear(heard, tokens * D);
    for (int n = from; n < to; n++) {
      float *mine = heard + (n - from) * node;
      for (int r = 0; r < KINDS; r++)
        for (int j = kind[r].hears_first[n]; j < kind[r].hears_first[n + 1]; j++)
          add(mine, kind[r].message + kind[r].hears[j] * node, node);
      if (K > 1)
        for (int symbol = 0; symbol < K; symbol++) add(mine + symbol * D, among + n * D, D);
    }
    product(x, net->here, heard, tokens, D, D, 1);
    if (HEADS) product(mixed + from * K * HEADS * VALUE, net->out, heard, tokens, HEADS * VALUE, D, 1);
    swiglu(heard, feed_forward, heard, tokens, D, HIDDEN, D);
    for (int t = 0; t < tokens; t++) {
      float *a = x + t * D, *b = heard + t * D;
      f4 s = ALL(0.f);
      for (int i = 0; i < D; i += 4) {
        f4 both = AT(a + i) + AT(b + i);
        PUT(a + i, both);
        s += both * both;
      }
      multiply(a, 1.f / __builtin_sqrtf(sum(s) / D + EPS), D);
    }
  }
}

/* h = u + mean(u) + noise sigma(u) eps; u is X. */
static void guide(float *h, const float *eps, float noise) {
  int all = N * K;
  for (int t = 0; t < all; t += CHUNK) {
    int tokens = all - t < CHUNK ? all - t : CHUNK;
    float *u = X + t * D, *to = h + t * D;
    swiglu(u, mean, pooled, tokens, D, GUIDANCE, D);
    for (int i = 0; i < tokens * D; i += 4) {
      f4 m = AT(pooled + i);
      if (MEAN_CAP > 0) m = MEAN_CAP - 2 * MEAN_CAP / (exponential(m * (2 / MEAN_CAP)) + 1.f); /* cap tanh(m / cap) */
      PUT(to + i, AT(u + i) + m);
    }
    if (noise == 0) continue;
    swiglu(u, deviation, pooled, tokens, D, GUIDANCE, D);
    for (int i = 0; i < tokens * D; i += 4) {
      f4 log_sigma = clamp(AT(pooled + i) - 2.30258509f, -6.f, LARGEST_LOG_SIGMA); /* it starts at log 0.1 */
      PUT(to + i, AT(to + i) + exponential(log_sigma) * AT(eps + t * D + i) * noise);
    }
  }
}

/* The initial state. */
EXPORT("start") void start(int rows, float *h, float *l) {
  for (int t = 0; t < rows * N * K; t++)
    for (int i = 0; i < D; i += 4) {
      PUT(h + t * D + i, AT(h0 + i));
      PUT(l + t * D + i, AT(l0 + i));
    }
}
/* l and X = u of one row. */
static void think(const float *h, float *l, const unsigned char *seen) {
  int tokens = N * K, all = tokens * D;
  for (int s = 0; s < LOW; s++) {
    const float *before = s ? X : l;
    for (int t = 0; t < tokens; t++)
      for (int i = t * D; i < (t + 1) * D; i += 4)
        PUT(X + i, AT(before + i) + (AT(h + i) + AT(embedding + seen[t] * D + i - t * D)));
    block(network);
  }
  for (int i = 0; i < all; i += 4) {
    PUT(l + i, AT(X + i));
    PUT(X + i, AT(h + i) + AT(X + i));
  }
  block(network + HIGH);
}
/* One transition. seen: [node][symbol], what the puzzle says there, a row of the embedding; eps: as h, standard normal.
   equal: the rows are in one state, as at the start, and differ by their noise alone. */
EXPORT("step") void step(int rows, float *h, float *l, const unsigned char *seen, const float *eps, float noise, int equal) {
  int all = N * K * D;
  for (int row = 0; row < rows; row++, h += all, l += all, eps += all) {
    if (row && equal) for (int i = 0; i < all; i += 4) PUT(l + i, AT(l - all + i));
    else think(h, l, seen);
    if (GUIDANCE) guide(h, eps, noise);
    else for (int i = 0; i < all; i += 4) PUT(h + i, AT(X + i));
  }
}
/* Logits [row][node][symbol] of the symbols. */
EXPORT("decode") void decode(int rows, const float *h, float *logits) {
  for (int t = 0; t < rows * N * K; t++) {
    f4 s = ALL(0.f);
    for (int i = 0; i < D; i += 4) s += AT(h + t * D + i) * AT(score + i);
    logits[t] = sum(s);
  }
}
/* Philox 4x32-10 (Salmon et al. 2011). */
EXPORT("philox") void philox(u32 *out, u32 c0, u32 c1, u32 c2, u32 c3, u32 k0, u32 k1) {
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    u64 a = (u64)c0 * 0xD2511F53u, b = (u64)c2 * 0xCD9E8D57u;
    c0 = (u32)(b >> 32) ^ c1 ^ k0;
    c1 = (u32)b;
    c2 = (u32)(a >> 32) ^ c3 ^ k1;
    c3 = (u32)a;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}
/* `count` (a multiple of 8) standard normals of one transition of a trajectory: Box-Muller, as gram.inference.philox. */
EXPORT("normals") void normals(float *out, int count, u32 seed, u32 puzzle, u32 trajectory, u32 transition) {
  for (int i = 0; i < count; i += 8) {
    u4 word[2];
    for (u32 j = 0; j < 2; j++) philox((u32 *)(word + j), i >> 3, j, trajectory, transition, seed, puzzle);
    f4 uniform = (__builtin_convertvector((i4)(word[0] >> 8), f4) + 1.f) * 5.9604645e-8f;
    f4 radius = __builtin_elementwise_sqrt(logarithm(uniform) * -2.f);
    /* The angle as a quarter of a turn and what is left of it, at most an eighth of a turn either way. */
    u4 quarter = (word[1] + 0x20000000u) >> 30;
    f4 a = __builtin_convertvector((i4)(word[1] - (quarter << 30)), f4) * 1.46291808e-9f, z = a * a;
    f4 sine = ((z * -1.9515295891e-4f + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * a + a;
    f4 cosine = ((z * 2.443315711809948e-5f - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - z * .5f + 1.f;
    u4 odd = -(quarter & 1);
    u4 x = (((u4)sine & odd) | ((u4)cosine & ~odd)) ^ (((quarter + 1) & 2) << 30);
    u4 y = (((u4)cosine & odd) | ((u4)sine & ~odd)) ^ ((quarter & 2) << 30);
    PUT(out + i, (f4)x * radius);
    PUT(out + i + 4, (f4)y * radius);
  }
}

static float *free_at;
static const float *weight_at;
static float *room(int count) {
  float *here = free_at;
  free_at += (count + 3) & ~3;
  return here;
}
static const float *weight(int count) {
  const float *here = weight_at;
  weight_at += count;
  return here;
}
/* Reads sizes and relations, then weights, and takes its scratch from `scratch` on; returns the first free byte. */
EXPORT("init") float *init(const int *sizes, const float *weights, float *scratch) {
  const int *at = sizes + 15;
  const float *numbers = (const float *)(sizes + 12);
  N = sizes[0], K = sizes[1], D = sizes[2], HIDDEN = sizes[3], GUIDANCE = sizes[4], LOW = sizes[5], KINDS = sizes[6];
  HEADS = sizes[7], PEERS = sizes[8], KEY = sizes[9], VALUE = sizes[10], HIGH = sizes[11] - 1;
  EPS = numbers[0], LARGEST_LOG_SIGMA = numbers[1], MEAN_CAP = numbers[2];
  free_at = scratch, weight_at = weights;
  int most = N > CHUNK ? N : CHUNK;
  for (int r = 0; r < KINDS; r++) {
    Kind *one = kind + r;
    one->groups = at[0];
    one->first = at + 1;
    one->member = one->first + one->groups + 1;
    one->scale = (const float *)(one->member + one->first[one->groups]);
    one->hears_first = (const int *)(one->scale + one->groups);
    one->hears = one->hears_first + N + 1;
    at = one->hears + one->hears_first[N];
    one->message = room((one->groups * K + TILE) * D);
    if (one->groups > most) most = one->groups;
  }
  peer = at;
  embedding = weight(3 * D), score = weight(D), h0 = weight(D), l0 = weight(D);
  for (int m = 0; m <= HIGH; m++) {
    Network *net = network + m;
    net->here = weight(D * D);
    for (int r = 0; r < KINDS; r++) net->heard[r] = weight(D * D);
    if (K > 1) net->symbols = weight(D * D);
    net->gate = weight(D * HIDDEN), net->up = weight(D * HIDDEN), net->down = weight(D * HIDDEN);
    if (!HEADS) continue;
    net->query = weight(D * HEADS * KEY), net->key = weight(D * HEADS * KEY), net->value = weight(D * HEADS * VALUE);
    net->out = weight(D * HEADS * VALUE), net->bias = weight(HEADS * N * PEERS);
  }
  for (int part = 0; GUIDANCE && part < 3; part++) mean[part] = weight(D * GUIDANCE);
  for (int part = 0; GUIDANCE && part < 3; part++) deviation[part] = weight(D * GUIDANCE);
  int tokens = N * K + TILE, chunk = CHUNK + K + TILE, widest = HIDDEN > GUIDANCE ? HIDDEN : GUIDANCE;
  X = room(tokens * D), pooled = room((most * K + TILE) * D), among = room((N + TILE) * D);
  wide = room(chunk * widest), wide2 = room(chunk * widest);
  q = room(tokens * HEADS * KEY), k = room(tokens * HEADS * KEY), v = room(tokens * HEADS * VALUE);
  attention = room(PEERS + 4);
  mixed = room(tokens * HEADS * VALUE + chunk * D);
  return free_at;
}
