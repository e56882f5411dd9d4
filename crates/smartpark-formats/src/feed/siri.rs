//! SIRI-FM 2.1, as journey planners read it.

use jiff::Timestamp;
use quick_xml::escape::escape;

use super::view::{SiteView, seconds};

/// The document. A site without a number is left out, since one such site makes a reader lose the
/// whole update; a closed site says 0.
#[must_use]
pub fn siri_fm(sites: &[SiteView], now: Timestamp) -> Vec<u8> {
    let now = seconds(now);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Siri version=\"2.1\" xmlns=\"http://www.siri.org.uk/siri\"><ServiceDelivery>\
         <ResponseTimestamp>{now}</ResponseTimestamp><ProducerRef>SmartPark</ProducerRef>\
         <FacilityMonitoringDelivery version=\"2.1\">\
         <ResponseTimestamp>{now}</ResponseTimestamp>"
    );
    for site in sites {
        let (status, count) = match (site.is_open(), site.free()) {
            (false, _) => ("notAvailable", 0),
            (true, Some(free)) => ("available", free),
            (true, None) => continue,
        };
        let facility = escape(site.facility_ref.as_deref().unwrap_or(&site.id));
        xml.push_str(&format!(
            "<FacilityCondition><FacilityRef>{facility}</FacilityRef>\
             <FacilityStatus><Status>{status}</Status></FacilityStatus>\
             <MonitoredCounting><CountingType>presentCount</CountingType>\
             <CountedFeatureUnit>bays</CountedFeatureUnit><Count>{count}</Count>\
             </MonitoredCounting></FacilityCondition>"
        ));
    }
    xml.push_str("</FacilityMonitoringDelivery></ServiceDelivery></Siri>\n");
    xml.into_bytes()
}
