using Microsoft.Playwright;

namespace CcmFhir.Tests.Pages;

/// <summary>What every page keeps to, in a real browser: accessible in light and dark, of any width, by keyboard, without script, and nobody
/// else is asked.</summary>
public sealed class EveryPageTest(Browser browser, DemoSite site) : IClassFixture<DemoSite>
{
    /// <summary>Every page, and every kind of page that says what is the matter.</summary>
    public static TheoryData<string> Pages { get; } =
        new()
        {
            "/",
            DemoSite.Worklist,
            DemoSite.Worklist + "?state=held",
            DemoSite.Worklist + "?q=nobody-of-that-name",
            DemoSite.Worklist + "/close",
            "/maple-street/months/2026-11/close",
            "/maple-street/patients/goldfinch/2026-10",
            "/maple-street/patients/honeysuckle/2026-10",
            "/maple-street/patients/honeysuckle/2026-10/audit",
            "/lab",
            "/lab?profile=ccm-consent&sample=typical",
            "/lab/profiles/ccm-time-log",
            "/no-such-practice/months/2026-10",
            "/maple-street/months/2026-13",
            "/maple-street/patients/nobody/2026-10",
        };

    [Theory, MemberData(nameof(Pages))]
    public async Task Axe_finds_nothing_in_light_and_in_dark(string address)
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(address);
        (await open.ViolationsAsync()).ShouldBeEmpty();
        open.Complaints.ShouldBeEmpty();
        open.Hosts.ShouldBe([site.Root.Authority]);
    }

    [Theory, MemberData(nameof(Pages))]
    public async Task No_page_scrolls_sideways_from_360_to_2560_nor_at_200_percent(string address)
    {
        // 640 pixels is what a window of 1280 shows at 200 %.
        foreach (var width in (int[])[360, 640, 1280, 2560])
        {
            await using var open = await browser.OpenAsync(site.Root, width);
            await open.GoAsync(address);
            var wider = await open.Page.EvaluateAsync<int>(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            );
            wider.ShouldBeLessThanOrEqualTo(0, $"at {width}");
        }
    }

    [Theory, MemberData(nameof(Pages))]
    public async Task The_keyboard_reaches_everything_and_shows_where_it_is(string address)
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(address);
        var wanted = await open.Page.EvaluateAsync<int>(
            """
            () => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
              .filter(one => one.checkVisibility()).length
            """
        );
        await open.Page.Keyboard.PressAsync("Tab");
        (await FocusAsync(open.Page)).ShouldContain("Skip to the content");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at < wanted; at++)
        {
            var focus = await FocusAsync(open.Page);
            focus.ShouldNotContain("no outline");
            seen.Add(focus);
            await open.Page.Keyboard.PressAsync("Tab");
        }
        seen.Count.ShouldBe(wanted);
    }

    [Fact]
    public async Task The_skip_link_leads_past_the_navigation()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(DemoSite.Worklist);
        await open.Page.Keyboard.PressAsync("Tab");
        await open.Page.Keyboard.PressAsync("Enter");
        await open.Page.WaitForSelectorAsync("#main:focus");
    }

    [Theory, MemberData(nameof(Pages))]
    public async Task On_paper_there_is_no_navigation_and_nothing_is_cut(string address)
    {
        await using var open = await browser.OpenAsync(site.Root, width: 800);
        await open.GoAsync(address);
        await open.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        (await open.Page.Locator("header.top").IsVisibleAsync()).ShouldBeFalse();
        (await open.Page.Locator("h1").IsVisibleAsync()).ShouldBeTrue();
        var cut = await open.Page.EvaluateAsync<int>(
            "() => [...document.querySelectorAll('.scroll, pre')].filter(one => getComputedStyle(one).overflowX !== 'visible').length"
        );
        cut.ShouldBe(0);
    }

    [Theory, MemberData(nameof(Pages))]
    public async Task Every_page_works_without_script(string address)
    {
        await using var open = await browser.OpenAsync(site.Root, script: false);
        await open.GoAsync(address);
        (await open.Page.Locator("h1").TextContentAsync()).ShouldNotBeNullOrWhiteSpace();
        (await open.Page.ContentAsync()).ShouldNotContain("   at CcmFhir.");
    }

    // What has the focus, told apart from every other element, and whether that can be seen.
    private static Task<string> FocusAsync(IPage page) =>
        page.EvaluateAsync<string>(
            """
            () => {
              const one = document.activeElement, style = getComputedStyle(one);
              const all = [...document.querySelectorAll('*')];
              return `${all.indexOf(one)} ${one.tagName} ${one.textContent.trim().slice(0, 40)}`
                + (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2 ? ' no outline' : '');
            }
            """
        );
}
