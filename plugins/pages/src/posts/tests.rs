use super::*;

/// Author, date and text of each post of a page of which everything is taken but menus.
fn found(source: &str) -> Vec<(Option<String>, Option<String>, String)> {
    let page = Page::new(source).expect("short");
    let taken: Vec<bool> = (0..page.n_blocks()).map(|block| !page.text(block).starts_with('[')).collect();
    let text = |post: &Post| post.blocks.iter().map(|block| page.text(*block)).collect::<Vec<_>>().join("\n");
    let said = Thread::of(&page, &taken).map(|thread| thread.posts(&page, &taken)).unwrap_or_default();
    said.iter()
        .map(|post| (post.author.clone(), post.time.clone().and_then(|time| time.date), text(post)))
        .collect()
}

fn post(author: &str, date: &str, text: &str) -> (Option<String>, Option<String>, String) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (some(author), some(date), text.to_owned())
}

#[test]
fn times_in_elements_made_for_them() {
    // As XenForo and IPB write them.
    let post_of = |n: u32, name: &str, text: &str| {
        format!(
            "<article class='message message--post' id=js-post-{n}><div class=message-user>
            <h4 class=message-name><a class=username href=/members/{n}/>{name}</a></h4>
            <h5 class=userTitle>Old hand</h5><dl><dt>Joined</dt><dd>Mar 1, 2001</dd></dl></div>
            <header class=message-attribution><time datetime='2019-05-0{n}T10:20:00+0200'>May {n}, 2019</time></header>
            <div class=message-body><p>{text}</p></div></article>"
        )
    };
    let page = format!(
        "<body><div class=block-body>{}{}</div>",
        post_of(1, "Marrow", "How are hives carried up a stair?"),
        post_of(2, "Tansy-9", "At night, by two.")
    );
    let found: Vec<_> = found(&page).into_iter().map(|(author, date, _)| (author, date)).collect();
    let expected = [("Marrow", "2019-05-01T10:20:00+02:00"), ("Tansy-9", "2019-05-02T10:20:00+02:00")];
    assert_eq!(found, expected.map(|(author, date)| (Some(author.to_owned()), Some(date.to_owned()))));
}

#[test]
fn tables_with_ids_and_chinese_labels() {
    // As Discuz! writes them.
    let post_of = |n: u32, name: &str, text: &str| {
        format!(
            "<div id=post_{n}><table><tr><td class=pls><div class=authi><a href='home.php?mod=space&uid={n}'>{name}</a></div>
            <td class=plc><div class=pti><div class=authi>[楼]</div><em>发表于 2013-5-{n} 12:0{n}</em></div>
            <div class=t_f id=postmessage_{n}>{text}</div></table></div>"
        )
    };
    let page = format!(
        "<div id=postlist>{}{}</div>",
        post_of(7, "老周", "屋顶上能养蜂吗？"),
        post_of(8, "小满", "可以，要通风。")
    );
    assert_eq!(
        found(&page),
        [
            post("老周", "2013-05-07T12:07", "屋顶上能养蜂吗？"),
            post("小满", "2013-05-08T12:08", "可以，要通风。")
        ]
    );
}

#[test]
fn a_byline_in_each_post_and_kinds_that_differ_in_their_second_class() {
    // As phpBB writes them: the profile says when somebody joined.
    let post_of = |n: u32, class: &str, name: &str, text: &str| {
        format!(
            "<div id=p{n} class='post {class}'><dl class=postprofile><dt><a class=username href='./memberlist.php?mode=viewprofile&u={n}'>{name}</a></dt>
            <dd class=profile-joined>Joined: Sun May 3, 2009 4:12 pm</dd></dl><div class=postbody>
            <p class=author>by <strong><a href=#>{name}</a></strong> » Wed Jul {n}, 2015 9:30 pm</p><div class=content>{text}</div></div></div>"
        )
    };
    let page = format!(
        "<div>{}<hr>{}</div>",
        post_of(1, "bg2", "heron", "Is the weir open?"),
        post_of(8, "bg1 online", "coot", "Not before May.")
    );
    let found = found(&page);
    let dates: Vec<_> = found.iter().map(|(author, date, _)| (author.as_deref(), date.as_deref())).collect();
    assert_eq!(dates, [(Some("heron"), Some("2015-07-01T21:30")), (Some("coot"), Some("2015-07-08T21:30"))]);
    assert!(found[0].2.ends_with("Is the weir open?") && !found[0].2.contains("by heron"), "{found:?}");
}

#[test]
fn posts_within_posts_by_their_types() {
    let page = "<article itemscope itemtype='https://schema.org/DiscussionForumPosting'><h1 itemprop=headline>Lathe</h1>
        <span itemprop=author itemscope itemtype='https://schema.org/Person'><a href=/u/elm><span itemprop=name>elm</span></a></span>
        <time itemprop=datePublished datetime='2020-01-02T03:04:05Z'>January 2</time><div itemprop=text><p>Which belt does it take?</p></div>
        <div itemprop=comment itemscope itemtype='https://schema.org/Comment'><span itemprop=author><a href=/u/ash>ash</a></span>
        <time itemprop=datePublished datetime='2020-01-03'>January 3</time><div><p>A flat one.</p></div></div></article>";
    assert_eq!(
        found(page),
        [
            post("elm", "2020-01-02T03:04:05Z", "Lathe\nWhich belt does it take?"),
            post("ash", "2020-01-03", "A flat one.")
        ]
    );
}

#[test]
fn a_line_above_each_post() {
    // As bbPress writes them.
    let post_of = |n: u32, name: &str, text: &str| {
        format!(
            "<div class=bbp-reply-header><span class=bbp-reply-post-date>2018-03-0{n} 10:00</span></div>
            <div class='reply post-{n}'><a class=bbp-author-name href=/users/{n}/>{name}</a><div><p>{text}</p></div></div>"
        )
    };
    let page = format!(
        "<div>{}{}</div>",
        post_of(1, "One", "Where is the tap for the hose in the yard?"),
        post_of(2, "Two", "Under the stair, behind the bicycles of the third floor.")
    );
    assert_eq!(
        found(&page),
        [
            post("One", "2018-03-01T10:00", "Where is the tap for the hose in the yard?"),
            post("Two", "2018-03-02T10:00", "Under the stair, behind the bicycles of the third floor.")
        ]
    );
}

#[test]
fn what_is_no_thread_has_no_posts() {
    let teaser = |n: u32| {
        format!(
            "<div class=entry><h2><a href=/a{n}>What happened on day {n}</a></h2><span class=author>Ann</span>
            <time datetime=2020-01-0{n}>x</time><p>It rained, and nobody came to the market.</p></div>"
        )
    };
    for page in [
        format!("{}{}", teaser(1), teaser(2)),
        "<h1>A</h1><p class=author>By Ann</p><time datetime=2020-01-01>x</time><p>One. <p>Two.".to_owned(),
        // Posts beside something longer are not what the page is about.
        format!(
            "<p>{}<div class=c><b class=author>A</b><time>2020-01-01</time><p>Yes.</div><div class=c><b class=author>B</b>
            <time>2020-01-01</time><p>No.</div>",
            "word ".repeat(50)
        ),
    ] {
        assert_eq!(found(&page), [], "{page}");
    }
}

/// The texts that are left of those that do not begin with `[` when the posts of a page are made whole.
fn left(source: &str) -> Vec<String> {
    let page = Page::new(source).expect("short");
    let mut taken: Vec<bool> = (0..page.n_blocks()).map(|block| !page.text(block).starts_with('[')).collect();
    complete(&page, &mut taken);
    taken_blocks(&taken).map(|block| page.text(block).to_owned()).collect()
}

#[test]
fn what_programs_put_around_posts_goes() {
    let post_of = |n: u32, name: &str, text: &str| {
        format!(
            "<div class=post id=p{n}><div class=user-title>Senior member</div><b class=username>{name}</b><dl class=user-extras><dt>Posts<dd>1,23{n}</dl>
            <i>#{n}</i><br><time>2011-04-0{n} 09:00</time><div class=content><p>{text}</p><p>Thanks!</p></div>
            <div>Last edited by {name}; 2011-04-09 at 10:00</div><div class=signature>Bread first, then the rest of it.</div><a>Report</a></div>"
        )
    };
    let page = format!(
        "{}{}{}",
        post_of(1, "rye", "Is it the flour?"),
        post_of(2, "oat", "It is the oven."),
        post_of(3, "rye", "So it is.")
    );
    assert_eq!(
        left(&page),
        [
            "rye",
            "2011-04-01 09:00",
            "Is it the flour?",
            "Thanks!",
            "oat",
            "2011-04-02 09:00",
            "It is the oven.",
            "Thanks!",
            "rye",
            "2011-04-03 09:00",
            "So it is.",
            "Thanks!"
        ]
    );
    // Where there is no thread, nothing goes: this may be a page about a signature.
    let alone = "<div class=post><p>A text.</p><div class=signature>Bread first.</div></div><div class=post><p>Report</p></div>";
    assert_eq!(left(alone), ["A text.", "Bread first.", "Report"]);
}

#[test]
fn names_stand_above_all_posts_or_none() {
    let post_of = |n: u32, name: &str| {
        format!(
            "<div class=post><b class=username>{name}</b><br><time>2011-04-0{n}</time><p>What number {n} says about it.</p></div>"
        )
    };
    let names =
        |third: &str| left(&format!("{}{}{}", post_of(1, "rye"), post_of(2, "[oat"), post_of(3, third)));
    assert!(names("emmer").contains(&"[oat".to_owned()));
    assert!(!names("[emmer").contains(&"rye".to_owned()));
}

#[test]
fn a_time_that_is_not_certain_is_told_as_it_is_shown() {
    let post_of = |time: &str| {
        format!("<div class=post><b class=author>rye</b> <time>{time}</time><p>What it says.</p></div>")
    };
    let source = format!("{}{}", post_of("Posted: Mon 3 Oct, 8:14 am"), post_of("3 weeks ago"));
    let page = Page::new(&source).expect("short");
    let taken = vec![true; page.n_blocks()];
    let posts = Thread::of(&page, &taken).map(|thread| thread.posts(&page, &taken)).unwrap_or_default();
    let times: Vec<_> =
        posts.into_iter().filter_map(|post| post.time).map(|time| (time.date, time.shown)).collect();
    assert_eq!(times, [(None, "Mon 3 Oct, 8:14 am".to_owned()), (None, "3 weeks ago".to_owned())]);
}
