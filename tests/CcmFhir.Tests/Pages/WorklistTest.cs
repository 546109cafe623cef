using System.Globalization;
using System.Net.Http.Headers;
using CcmFhir.Pages;

namespace CcmFhir.Tests.Pages;

/// <summary>The worklist in the browser and as a table.</summary>
public sealed class WorklistTest(Browser browser, DemoSite site) : IClassFixture<DemoSite>
{
    [Fact]
    public async Task Filters_sorting_and_search_narrow_the_list_and_the_CSV_with_it()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(DemoSite.Worklist);
        (await RowsAsync(open)).Count.ShouldBe(20);
        await open.ClickAsync("text=Billed (15)");
        (await RowsAsync(open)).Count.ShouldBe(15);
        await open.ClickAsync("th a:has-text('Amount')");
        var byAmount = await RowsAsync(open);
        byAmount[0].ShouldStartWith("Oakhollow");
        (await open.Page.Locator("th[aria-sort=descending]").TextContentAsync())!.ShouldStartWith("Amount");
        await open.Page.FillAsync("input[name=q]", "brook");
        await open.ClickAsync("button:has-text('Show')");
        (await RowsAsync(open)).Count.ShouldBe(2);
        var download = await open.Page.RunAndWaitForDownloadAsync(() => open.Page.ClickAsync("text=This list as CSV"));
        download.SuggestedFilename.ShouldBe("maple-street-2026-10.csv");
        var csv = await File.ReadAllLinesAsync((await download.PathAsync())!);
        csv.Length.ShouldBe(3);
        csv[1].ShouldContain("Fernbrook");
    }

    [Fact]
    public async Task What_stands_on_a_row_leads_to_the_patients_month_and_back()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync("/");
        await open.ClickAsync("text=patient held, October 2026");
        await open.ClickAsync("text=Goldfinch");
        (await open.Page.ContentAsync()).ShouldContain("CCM-C01");
        await open.ClickAsync("main >> text=Worklist");
        new Uri(open.Page.Url).AbsolutePath.ShouldBe(DemoSite.Worklist);
    }

    [Fact]
    public async Task The_picture_of_twelve_months_says_what_the_rows_say()
    {
        await using var open = await browser.OpenAsync(site.Root);
        // The page waits for the picture for a moment only, and offers to be asked again.
        await open.GoUntilAsync(DemoSite.Worklist, ".trend figure");
        (await open.Page.Locator(".trend figure").CountAsync()).ShouldBe(4);
        var last = open.Page.Locator("#revenue-name ~ details tbody tr").Last;
        var figures = (await last.Locator("td").AllTextContentsAsync()).Select(text =>
            decimal.Parse(text, CultureInfo.InvariantCulture)
        );
        figures.Sum().ShouldBe(1532.62m);
        (await open.Page.Locator("#revenue-desc").TextContentAsync())!.ShouldContain("2026-10");
    }

    [Fact]
    public async Task What_comes_in_shows_at_once()
    {
        await using var own = new OpenDemoSite();
        await own.InitializeAsync();
        await using var open = await browser.OpenAsync(own.Root);
        await open.GoAsync(DemoSite.Worklist + "?state=held");
        (await RowsAsync(open)).Count.ShouldBe(1);
        using var http = new HttpClient { BaseAddress = own.Root };
        foreach (var file in Directory.GetFiles(Repository.At("profiles", "samples-mended"), "*.json"))
        {
            using var bundle = new ByteArrayContent(await File.ReadAllBytesAsync(file));
            bundle.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
            (await http.PostAsync("/maple-street/fhir", bundle)).EnsureSuccessStatusCode();
        }
        await open.Page.ReloadAsync();
        (await RowsAsync(open)).Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1")]
    [InlineData("\r=1")]
    public void A_name_that_a_spreadsheet_would_run_is_text_in_the_CSV(string name)
    {
        var row = new WorklistRow
        {
            PatientId = "p1",
            Name = name,
            State = MonthState.Ready,
            Counted = 0,
            Next = null,
            NextCode = null,
            Codes = "",
            Amount = 0,
            Reasons = [],
        };
        WorklistCsv.Write([row]).Split("\r\n")[1].Split(',')[1].TrimStart('"')[0].ShouldBe('\'');
    }

    private static async Task<IReadOnlyList<string>> RowsAsync(OpenPage open) =>
        await open.Page.Locator("table.worklist tbody th").AllTextContentsAsync();
}
