//! Layer x layer maps as the pages of comparisons and sweeps show them: drawings with what their readout says, in groups.

use serde::Serialize;

/// Maps behind one choice of the reader.
#[derive(Serialize)]
pub(crate) struct MapGroup {
    pub(crate) name: String,
    pub(crate) maps: Vec<MapView>,
}

/// One map.
#[derive(Serialize)]
pub(crate) struct MapView {
    pub(crate) svg: String,
    /// [`Readout`] for the page's script.
    pub(crate) json: String,
}

/// What is read when a cell is pointed at.
#[derive(Serialize)]
pub(crate) struct Readout<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) columns: Vec<&'a str>,
    /// Row by row.
    pub(crate) values: Vec<String>,
}

/// Puts a map into the group of this name, the groups in the order of their first maps.
pub(crate) fn add(groups: &mut Vec<MapGroup>, name: &str, map: MapView) {
    match groups.iter_mut().find(|g| g.name == name) {
        Some(group) => group.maps.push(map),
        None => groups.push(MapGroup { name: name.to_owned(), maps: vec![map] }),
    }
}
