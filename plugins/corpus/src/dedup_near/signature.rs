//! Signatures (`MinHash`) without a multiplication for each lane, and the keys of bands.
//!
//! A lane of a signature picks one shingle of a text; two texts pick the same one as often as their Jaccard
//! similarity says, if every shingle of both together is as likely to be picked as any other. The usual way to pick
//! is the least value of a random function, which takes a multiplication and a comparison for each shingle and each
//! of the 112 lanes: 53 ns a shingle with the vector instructions that every `x86-64` has, 8 with AVX2, which only
//! `unsafe` could choose at run time.
//!
//! Here a lane is a random number, and picks the shingle whose hash is the *nearest* to it, counting the bits in
//! which they differ as a number (`hash ^ lane`). Hashes are random, so each is as likely to be that as any other.
//! And where the nearest lies can be looked up: hashes are put into buckets by their upper bits, about one a
//! bucket; the nearest one is in the bucket of the lane, or if that is empty in the next one that is not, in
//! the order 1, 2, 3, … of `bucket ^ n`. That takes two passes over the hashes and a look for each lane, 7 to 12 ns a
//! shingle on any machine, in safe code.
//!
//! What is lost: some shingles have more numbers near them than others, so lanes agree with each other a
//! little more than independent ones. A text of 26 shingles and one that is like it at .85 share a band in .972 of
//! all cases, not in .986; at 100 shingles, or with .9, nobody can tell the difference. Half of the lanes look at other
//! bits of the hashes than the other half, which halves it again.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::shingles::mix;

/// Buckets are at most 2 to this, which stays in the cache of a core; then several hashes share one.
const MOST_BITS: u32 = 14;

/// How signatures are cut into bands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bands {
    pub(super) number: usize,
    pub(super) rows: usize,
    /// The random numbers: even lanes for the upper half of a hash, odd ones for the lower half.
    lanes: Vec<u32>,
}

/// Working space.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// Where the hashes of each bucket end; they begin where those of the bucket before end.
    ends: Vec<u32>,
    hashes: Vec<u32>,
    signature: Vec<u32>,
    band: Vec<u8>,
}

impl Bands {
    pub(super) fn new(n_bands: usize, rows: usize) -> Self {
        // A sequence of Weyl, mixed: the same on every machine, and the first lanes are the same however many there
        // are.
        let lane = |n: u64| (mix(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 32) as u32;
        Self { number: n_bands, rows, lanes: (1..=(n_bands * rows) as u64).map(lane).collect() }
    }

    /// Those that find 99 of 100 texts that are .05 more alike than `least`: with as many rows as so many bands allow,
    /// because each makes fewer candidates that are not alike.
    pub(super) fn finding(least: f64) -> Self {
        let most = match least {
            least if least >= 0.7 => 20,
            least if least >= 0.6 => 40,
            _ => 64,
        };
        let alike = (least + 0.05).min(0.99);
        let mut found = Self::new(most, 1);
        let mut band = alike;
        for rows in 2..=16 {
            band *= alike;
            let (mut missed, mut n_bands) = (1.0, 0);
            while missed > 0.01 && n_bands <= most {
                missed *= 1.0 - band;
                n_bands += 1;
            }
            if missed <= 0.01 {
                found = Self::new(n_bands, rows);
            }
        }
        found
    }

    /// The share of texts that are so much alike that have no band in common.
    pub(super) fn missed(&self, alike: f64) -> f64 {
        let band = (0..self.rows).fold(1.0, |power, _| power * alike);
        (0..self.number).fold(1.0, |missed, _| missed * (1.0 - band))
    }

    /// Puts a key for each band of a text into `keys`. Texts of another `kind` have other keys.
    pub(super) fn keys(&self, shingles: &[u64], kind: u64, work: &mut Buckets, keys: &mut Vec<u64>) {
        keys.clear();
        if shingles.is_empty() {
            return;
        }
        self.sign(shingles, work);
        let Buckets { signature, band, .. } = work;
        for (number, lanes) in (0_u64..).zip(signature.chunks_exact(self.rows)) {
            band.clear();
            band.extend(lanes.iter().flat_map(|lane| lane.to_le_bytes()));
            keys.push(xxh3_64_with_seed(band, mix(kind.wrapping_add(number))));
        }
    }

    fn sign(&self, shingles: &[u64], work: &mut Buckets) {
        work.signature.clear();
        work.signature.resize(self.lanes.len(), 0);
        for (half, shift) in [(0, 32), (1, 0)] {
            let bits = work.fill(shingles, shift);
            let lanes = self.lanes.iter().zip(&mut work.signature).skip(half).step_by(2);
            for (lane, picked) in lanes {
                *picked = nearest(*lane, bits, &work.ends, &work.hashes);
            }
        }
    }
}

impl Buckets {
    /// Puts one half of each hash where it belongs; tells how many bits name a bucket.
    fn fill(&mut self, shingles: &[u64], shift: u32) -> u32 {
        let bits = (usize::BITS - shingles.len().leading_zeros()).clamp(1, MOST_BITS);
        let bucket = |hash: u32| (hash >> (32 - bits)) as usize;
        self.ends.clear();
        self.ends.resize(1 << bits, 0);
        for shingle in shingles {
            self.ends[bucket((shingle >> shift) as u32)] += 1;
        }
        let mut sum = 0;
        for end in &mut self.ends {
            // Where the bucket begins; it becomes its end while hashes are put in.
            sum += std::mem::replace(end, sum);
        }
        self.hashes.clear();
        self.hashes.resize(shingles.len(), 0);
        for shingle in shingles {
            let hash = (shingle >> shift) as u32;
            let end = &mut self.ends[bucket(hash)];
            self.hashes[*end as usize] = hash;
            *end += 1;
        }
        bits
    }
}

/// The hash that is the nearest to `lane`; there is one.
fn nearest(lane: u32, bits: u32, ends: &[u32], hashes: &[u32]) -> u32 {
    let own = (lane >> (32 - bits)) as usize;
    for distance in 0..ends.len() {
        let bucket = own ^ distance;
        let start = bucket.checked_sub(1).map_or(0, |before| ends[before]);
        let inside = hashes.get(start as usize..ends[bucket] as usize).unwrap_or_default();
        if let Some(least) = inside.iter().map(|hash| hash ^ lane).min() {
            return least ^ lane;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signature(bands: &Bands, shingles: &[u64]) -> Vec<u32> {
        let mut work = Buckets::default();
        bands.sign(shingles, &mut work);
        work.signature
    }

    #[test]
    fn each_band_has_a_key_and_each_kind_other_keys() {
        let (bands, mut work, mut keys) = (Bands::new(14, 8), Buckets::default(), Vec::new());
        bands.keys(&[], 0, &mut work, &mut keys);
        assert!(keys.is_empty());
        bands.keys(&[mix(1), mix(2)], 0, &mut work, &mut keys);
        let first = keys.clone();
        bands.keys(&[mix(2), mix(1), mix(1)], 0, &mut work, &mut keys);
        assert_eq!(keys, first, "neither order nor number counts");
        bands.keys(&[mix(1), mix(2)], 7, &mut work, &mut keys);
        assert!(first.iter().zip(&keys).all(|(one, other)| one != other));
        assert!(first.len() == 14 && (1..14).all(|n| !first[n..].contains(&first[n - 1])));
    }

    /// Whether lanes agree as often as texts are alike, and bands as often as lanes should make them.
    #[test]
    fn lanes_agree_as_often_as_texts_are_alike() {
        let bands = Bands::new(14, 8);
        for (n_shared, n_own, least, most) in
            [(85, 15, 0.70, 0.77), (950, 50, 0.89, 0.92), (40, 60, 0.22, 0.28), (0, 50, 0.0, 0.001)]
        {
            let n_trials = 400;
            let n_agreeing: usize = (0..n_trials)
                .map(|trial| {
                    let hash = |n: u64| mix(trial << 32 | n);
                    let one: Vec<u64> = (0..n_shared + n_own).map(hash).collect();
                    let other: Vec<u64> =
                        (0..n_shared).chain(n_shared + n_own..n_shared + 2 * n_own).map(hash).collect();
                    let (one, other) = (signature(&bands, &one), signature(&bands, &other));
                    one.iter().zip(&other).filter(|(one, other)| one == other).count()
                })
                .sum();
            let share = n_agreeing as f64 / (n_trials as f64 * 112.0);
            assert!((least..=most).contains(&share), "{n_shared} of {n_own} more: {share}");
        }
    }

    #[test]
    fn as_many_bands_as_find_what_is_wanted() {
        for (least, number, rows) in
            [(0.95, 3, 16), (0.9, 8, 16), (0.8, 18, 9), (0.7, 17, 5), (0.6, 38, 5), (0.5, 48, 4)]
        {
            let bands = Bands::finding(least);
            assert_eq!((bands.number, bands.rows), (number, rows), "{least}");
            assert!(bands.missed((least + 0.05_f64).min(0.99)) <= 0.01);
        }
        let bands = Bands::new(14, 8);
        assert!((bands.missed(0.8) - 0.0767).abs() < 1e-3 && (bands.missed(0.85) - 0.0117).abs() < 1e-3);
    }

    proptest! {
        #[test]
        fn the_nearest_is_found_wherever_it_lies(hashes in prop::collection::vec(any::<u64>(), 1..200), lanes in 1_usize..40) {
            let bands = Bands::new(lanes, 1);
            let picked = signature(&bands, &hashes);
            for (n, (lane, picked)) in bands.lanes.iter().zip(picked).enumerate() {
                let half = |hash: &u64| if n % 2 == 0 { (hash >> 32) as u32 } else { *hash as u32 };
                prop_assert_eq!(Some(picked ^ lane), hashes.iter().map(|hash| half(hash) ^ lane).min());
            }
        }
    }
}
