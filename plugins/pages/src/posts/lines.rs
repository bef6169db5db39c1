//! The lines of name and time of posts.

use super::{Thread, line, marks};
use crate::features::Page;

/// Takes the lines of names in all posts or in none, as in most of them, and so those of times.
pub(super) fn even_out(page: &Page<'_>, thread: &Thread, selected: &mut [bool]) {
    let members = thread.members(page, selected);
    let name = |mark: &marks::Mark| marks::name(page, mark);
    let names: Vec<usize> = members.values().filter_map(|post| line(page, &post.names, name)).collect();
    // What a time says does not matter here, and reading one takes long.
    let times = members.values().filter_map(|post| line(page, &post.times, |_| Some(())));
    // One line may hold both.
    let times: Vec<usize> = times.filter(|block| names.binary_search(block).is_err()).collect();
    drop(members);
    for lines in [names, times] {
        let n_taken = lines.iter().filter(|block| selected[**block]).count();
        let is_taken = n_taken * 2 > lines.len();
        for block in lines {
            selected[block] = is_taken;
        }
    }
}
