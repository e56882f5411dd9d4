//! Which settings differ.

use super::Settings;

impl Settings {
    /// The keys that differ.
    pub(crate) fn differing(&self, new: &Self) -> Vec<&'static str> {
        let keys = [
            ("database", self.database == new.database),
            ("replica", self.replica == new.replica),
            ("listen", self.listen == new.listen),
            ("seed", self.seed == new.seed),
            ("site_name", self.site_name == new.site_name),
            ("on_limit", self.on_limit == new.on_limit),
            ("max_clock_skew", self.max_clock_skew == new.max_clock_skew),
            ("dedup_window", self.dedup_window == new.dedup_window),
            ("retention_days", self.retention_days == new.retention_days),
            ("no_auth", self.no_auth == new.no_auth),
            ("tls_cert", self.tls.0 == new.tls.0),
            ("tls_key", self.tls.1 == new.tls.1),
            ("behind_proxy", self.proxies == new.proxies),
            ("cors_origin", self.cors_origins == new.cors_origins),
            ("base_path", self.base_path == new.base_path),
            ("rate_limit", self.rates.per_key == new.rates.per_key),
            ("address_rate_limit", self.rates.per_address == new.rates.per_address),
            ("log_level", self.log_level == new.log_level),
            ("log_format", self.log_format == new.log_format),
        ];
        keys.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
    }
}
